/**
 * Benchmarks of Heed and of the peers it is compared with. Before timing, every benchmark of a contestant checks that
 * the contestant is ready and that its answer is right.
 */
@NullMarked
package dev.heed.bench;

import org.jspecify.annotations.NullMarked;
