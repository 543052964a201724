package dev.heed.layer;

import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The attention of a decoder over the outputs of an encoder, which are called the memory. The memory is prepared once
 * per batch, and each decoder step then aligns it with one query per batch entry.
 */
public interface Alignment {
    /** A prepared memory, ready to be aligned with queries. */
    interface Memory {
        /**
         * {@return the context and the weights of one decoder step}
         *
         * @param query the decoder's state, {@code [batch, hidden]}
         */
        Aligned align(Value query);
    }

    /**
     * The context and the weights of one decoder step.
     *
     * @param context weighted sum of the memory, {@code [batch, width of the memory]}
     * @param weights {@code [batch, sequence]}, 0 at positions beyond the length of a batch entry; null for an
     *     alignment without attention
     */
    record Aligned(Value context, @Nullable Tensor weights) {}

    /**
     * {@return the memory prepared for many queries}
     *
     * @param memory {@code [sequence, batch, width]}
     * @param last the encoder's last state, {@code [batch, width]}
     * @param lengths sequence length of each batch entry
     */
    Memory remember(Tape tape, Value memory, Value last, int[] lengths);

    /** {@return this alignment with its parameters replaced, as in {@link Layer#map}} */
    Alignment map(Layer.Change change);

    /**
     * {@return an alignment without attention: the context of every step is the encoder's last state, as in Cho et al.
     * 2014, section 2.2}
     */
    static Alignment none() {
        return new Alignment() {
            @Override
            public Memory remember(Tape tape, Value memory, Value last, int[] lengths) {
                return query -> new Aligned(last, null);
            }

            @Override
            public Alignment map(Layer.Change change) {
                return this;
            }
        };
    }
}
