package dev.heed.layer;

import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** How a decoder looks at what an encoder read: once for each sequence, then once for each step. */
public interface Alignment {
    /** What is made of a memory once, before the first step. */
    interface Memory {
        /**
         * {@return what one step sees}
         *
         * @param query the decoder's state, {@code [batch, width]}
         */
        Aligned align(Value query);
    }

    /**
     * What one step sees.
     *
     * @param context {@code [batch, width of the memory]}
     * @param weights {@code [batch, sequence]}, 0 beyond a row's length; null where nothing is weighed
     */
    record Aligned(Value context, @Nullable Tensor weights) {}

    /**
     * {@return the memory prepared for many queries}
     *
     * @param memory {@code [sequence, batch, width]}
     * @param last the encoder's last state, {@code [batch, width]}
     * @param lengths how many elements each row has
     */
    Memory remember(Tape tape, Value memory, Value last, int[] lengths);

    /** {@return this alignment with its parameters changed, as {@link Layer#map}} */
    Alignment map(Layer.Change change);

    /** {@return no attention: every step sees the encoder's last state, as in Cho et al. 2014, section 2.2} */
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
