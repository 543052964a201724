/**
 * The proof that a backend computes what the contract says: cases, the truth, and how far from it is allowed.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.verify;

import org.jspecify.annotations.NullMarked;
