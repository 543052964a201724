/**
 * Published test data against a backend: ONNX node tests and vectors of the classic score functions.
 *
 * <p>Stability: API.
 *
 * <p>May import: root, {@code tensor}, {@code mask}, {@code score}, {@code softmax}, {@code random}, {@code layer},
 * {@code onnx}, {@code verify}.
 */
@NullMarked
package dev.heed.conformance;

import org.jspecify.annotations.NullMarked;
