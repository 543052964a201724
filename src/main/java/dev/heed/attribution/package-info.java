/**
 * What a model looks at without saying so: how much each output position depends on each input position.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.attribution;

import org.jspecify.annotations.NullMarked;
