/**
 * A BERT encoder around Heed's attention: a real model, so that real attention weights can be looked at.
 *
 * <p>Stability: API.
 *
 * <p>May import: root, {@code tensor}, {@code mask}, {@code score}, {@code softmax}, {@code onnx}, {@code layer}.
 */
@NullMarked
package dev.heed.bert;

import org.jspecify.annotations.NullMarked;
