/**
 * Score functions, which compute the score of a query and a key.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.score;

import org.jspecify.annotations.NullMarked;
