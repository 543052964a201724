/**
 * Text in pictures: its width, the pixel font of PNG, and escapes for SVG and terminals.
 *
 * <p>Stability: implementation, not exported.
 */
@NullMarked
package dev.heed.view.text;

import org.jspecify.annotations.NullMarked;
