/**
 * Runs published test data on a backend: ONNX node tests and vectors of the classic score functions.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.conformance;

import org.jspecify.annotations.NullMarked;
