package dev.heed.backend.vector;

import static dev.heed.backend.vector.Lanes.PANEL;

import dev.heed.AttentionInputs;
import dev.heed.ffi.NativeFeature;
import dev.heed.ffi.NativeKernels;
import dev.heed.ffi.NativeLibrary;
import dev.heed.mask.TileCover;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/**
 * Prefill of bf16 by native products, two elements of depth a step: queries stay bf16, keys are read where they lie, values are
 * woven into pairs once for all panels of a task. Scores, maxima and sums of weights are f32 as ever; weights are rounded to
 * bf16 before they meet the values, as the textbook's are.
 */
final class Bf16Panels {
    private Bf16Panels() {}

    /** Whether native products serve a call of dot products. */
    static boolean serve(AttentionInputs inputs) {
        return inputs.query().type() == DType.BF16
                && inPlace(inputs.query())
                && inPlace(inputs.key())
                && inPlace(inputs.value())
                && Tiles.nativeKernels(DType.BF16).prefill()
                && works();
    }

    /** Whether the processor has bf16 products and panels are as wide as theirs. */
    static boolean works() {
        return !Lanes.SCALAR && PANEL == NativeKernels.LANES && NativeLibrary.has(NativeFeature.BF16_PRODUCT);
    }

    /** Whether the rows of a tensor can be read where they lie. */
    static boolean inPlace(Tensor tensor) {
        return (tensor.stride(-1) == 1 || tensor.size(-1) == 1)
                && tensor.segment().address() % tensor.type().bytes() == 0;
    }

    /** Puts the panel's queries into the lanes, as pairs. */
    static void pack(PanelCall call, Panel panel) {
        Tensor query = call.inputs.query();
        int headDim = (int) call.shape.headDim();
        int length = (headDim + 1) / 2 * 2 * PANEL;
        panel.pairs = panel.pairs.length >= length ? panel.pairs : new short[length];
        NativeKernels.bf16Turn(
                query.segment(),
                query.position(panel.batch, panel.head, panel.from, 0),
                query.stride(2),
                panel.queries,
                headDim,
                call.modifier.sign < 0,
                MemorySegment.ofArray(panel.pairs),
                0);
    }

    /** As {@code Prefill.read}. */
    static void read(PanelCall call, Panel panel, Bf16Rows rows, long keyFrom, int keys, TileCover cover) {
        float[] tile = panel.tile;
        int width = (int) call.shape.valueHeadDim();
        rows.dots(panel.pairs, (int) call.shape.headDim(), 2 * call.tiles.depth(), tile, keyFrom, keys);
        boolean hidden = Prefill.modify(call, panel, tile, 0, keyFrom, keys, cover);
        if (Loops.read(tile, keys, call.modifier.factor, panel.statistics) && !panel.fresh) {
            Loops.shrink(panel.sums, width, panel.statistics);
        }
        if (call.options.dropout() > 0) {
            call.drop(panel, tile, 0, keyFrom, keys);
            hidden = true; // a dropped value is not read either
        }
        rows.pool(tile, keyFrom, keys, panel.sums, !panel.fresh, hidden);
        panel.fresh = false;
    }
}
