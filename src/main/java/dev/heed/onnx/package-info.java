/**
 * A reader for ONNX models and tensors: graph, attributes and initializers. It neither runs nor writes models.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.onnx;

import org.jspecify.annotations.NullMarked;
