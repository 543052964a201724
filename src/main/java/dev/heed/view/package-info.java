/**
 * Pictures of attention: heat maps, lines, profiles and plots, as SVG for papers, PNG for slides and text for
 * terminals; and pages for browsers.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.view;

import org.jspecify.annotations.NullMarked;
