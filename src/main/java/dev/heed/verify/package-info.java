/**
 * Verification that a backend keeps the contract: test cases, the double-precision reference as the truth, and error budgets.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.verify;

import org.jspecify.annotations.NullMarked;
