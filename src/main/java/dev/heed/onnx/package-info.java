/**
 * Reads ONNX models and tensors: graph, attributes, initializers; runs nothing and writes nothing.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.onnx;

import org.jspecify.annotations.NullMarked;
