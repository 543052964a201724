/**
 * Benchmarks, and the peers they are measured against. Every benchmark checks its answer and its backend before the
 * clock starts; a wrong answer has no time.
 */
@NullMarked
package dev.heed.bench;

import org.jspecify.annotations.NullMarked;
