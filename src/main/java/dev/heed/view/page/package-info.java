/**
 * The parts of a page for browsers: the document, and the encoded weights of each layer.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.view.page;

import org.jspecify.annotations.NullMarked;
