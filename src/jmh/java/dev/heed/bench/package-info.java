/**
 * Benchmarks of Heed and of the peers it is compared with. Every benchmark checks its backend and its answer before
 * timing; a wrong answer is not timed.
 */
@NullMarked
package dev.heed.bench;

import org.jspecify.annotations.NullMarked;
