/**
 * Attribution: how much each output position of a model depends on each input position.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.attribution;

import org.jspecify.annotations.NullMarked;
