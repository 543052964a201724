/**
 * Published test data against a backend: ONNX node tests and vectors of the classic score functions.
 *
 * <p>Stability: API.
 *
 * <p>May import: {@code dev.heed}, {@code tensor}, {@code mask}, {@code score}, {@code onnx}.
 */
@NullMarked
package dev.heed.conformance;

import org.jspecify.annotations.NullMarked;
