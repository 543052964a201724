/**
 * Data access and threads of the CPU backends: rows of tensors, read in place or converted to f32; packed matrices and
 * their products; the working memory of a thread; and the threads of a call.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.backend.vector.storage;

import org.jspecify.annotations.NullMarked;
