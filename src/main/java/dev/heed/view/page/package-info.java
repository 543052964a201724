/**
 * The parts of a page for browsers: the document and the weights of each layer as JSON.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.view.page;

import org.jspecify.annotations.NullMarked;
