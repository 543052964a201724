/**
 * A BERT encoder around Heed's attention: a real model, so that real attention weights can be looked at.
 *
 * <p>Stability: API.
 */
@NullMarked
package dev.heed.bert;

import org.jspecify.annotations.NullMarked;
