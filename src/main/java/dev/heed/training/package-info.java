/**
 * Training of layers: losses, optimisers, and a trainer that repeats bit for bit by its seed, whatever the threads.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.training;

import org.jspecify.annotations.NullMarked;
