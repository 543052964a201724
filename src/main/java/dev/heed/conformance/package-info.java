/**
 * Published test data and the code that runs them on a backend: ONNX node tests and test vectors of the classic score
 * functions.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.conformance;

import org.jspecify.annotations.NullMarked;
