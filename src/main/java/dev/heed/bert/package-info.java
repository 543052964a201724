/**
 * A BERT encoder that uses Heed's attention, for inspecting the attention weights of a real model.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.bert;

import org.jspecify.annotations.NullMarked;
