package dev.heed.backend.vector.storage;

import static dev.heed.backend.vector.kernels.Lanes.PANEL;

import dev.heed.AttentionInputs;
import dev.heed.backend.vector.kernels.Lanes;
import dev.heed.backend.vector.kernels.Tiles;
import dev.heed.ffi.NativeFeature;
import dev.heed.ffi.NativeKernels;
import dev.heed.ffi.NativeLibrary;
import dev.heed.tensor.DType;
import java.util.Optional;

/**
 * The conditions under which bf16 prefill and linear layers use native products, which multiply two elements of depth at
 * once. In prefill, queries stay bf16, keys are read without a copy if their rows are contiguous, and values are
 * interleaved into pairs once for all panels of a task.
 *
 * <p>Scores, maxima and sums of weights are f32. Weights are rounded to bf16 before they are multiplied with values, as in
 * the naive formula of the error budget (docs/semantics.md).
 */
public final class Bf16Panels {
    private Bf16Panels() {}

    /**
     * Whether a call with dot-product scores uses native products: only if query, key and value are bf16, the tuning table
     * prefers native products for prefill, and the processor has them.
     */
    public static boolean serve(AttentionInputs inputs) {
        return inputs.query().type() == DType.BF16
                && inputs.key().type() == DType.BF16
                && inputs.value().type() == DType.BF16
                && Tiles.nativeKernels(DType.BF16).prefill()
                && works();
    }

    /**
     * Whether the Vector API is in use, the processor has bf16 products, and they support panels of {@code PANEL} lanes.
     */
    static boolean works() {
        return !Lanes.SCALAR && NativeKernels.takesPanels(PANEL) && NativeLibrary.has(NativeFeature.BF16_PRODUCT);
    }

    /**
     * {@return the reason why bf16 prefill or linear layers use the Vector API although the processor has bf16 products;
     * empty if there is none}
     */
    public static Optional<String> notServing() {
        if (Lanes.SCALAR || !NativeLibrary.has(NativeFeature.BF16_PRODUCT)) {
            return Optional.empty();
        }
        Tiles.Native wanted = Tiles.nativeKernels(DType.BF16);
        String bits = Lanes.V * Float.SIZE + "-bit vectors";
        if (!works()) {
            return Optional.of(
                    "bf16 prefill and linear layers on the Vector API: native panels have 16, 32 or 64 lanes,"
                            + " panels of " + bits + " have " + PANEL);
        }
        return wanted.prefill() && wanted.linear()
                ? Optional.empty()
                : Optional.of("bf16 "
                        + (wanted.prefill()
                                ? "linear layers"
                                : wanted.linear() ? "prefill" : "prefill and linear layers")
                        + " on the Vector API: faster with " + bits
                        + " according to tuning/vector_native.tsv");
    }
}
