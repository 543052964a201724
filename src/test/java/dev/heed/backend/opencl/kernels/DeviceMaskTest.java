package dev.heed.backend.opencl.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.heed.AttentionShape;
import dev.heed.backend.opencl.device.Chunk;
import dev.heed.mask.Mask;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Tests that masks with structure keep it: a dense mask of these shapes would need 1 TB. */
class DeviceMaskTest {
    private static final int LONG = 1_000_000;
    private static final AttentionShape SHAPE = new AttentionShape(1, 2, 2, LONG, LONG, 16, 16);

    private static Tensor spans(long... pairs) {
        return Tensor.of(pairs, 1, 1, 1, 2);
    }

    @Test
    void spansAreTwoNumbersForEachRowOfTheirTensor() {
        Tensor spans = Tensor.zeros(DType.I64, 1, 1, LONG, 2);
        DeviceMask mask = DeviceMask.of(Mask.spans(spans).and(Mask.causal()), SHAPE);
        Chunk chunk = Chunk.whole(SHAPE).withQueries(100, 1100);
        assertNull(mask.cells(chunk));
        assertEquals(8_000, mask.bytes(chunk));
    }

    @Test
    void severalSpansAreTheirIntersection() {
        DeviceMask mask = DeviceMask.of(Mask.spans(spans(3, 9)).and(Mask.spans(spans(5, 20))), SHAPE);
        Tensor both = Objects.requireNonNull(mask.spans(Chunk.whole(SHAPE)));
        assertArrayEquals(new double[] {5, 9}, both.toDoubleArray());
    }

    @Test
    void blocksAreOneByteEachBesidesSpans() {
        Tensor truths = Tensor.zeros(DType.BOOL, 1, 1, LONG / 1000, LONG / 500);
        DeviceMask mask = DeviceMask.of(Mask.blocks(truths, 1000, 500).and(Mask.spans(spans(0, 7))), SHAPE);
        assertEquals(1000, mask.cellQueries());
        assertEquals(500, mask.cellKeys());
        Chunk chunk = Chunk.whole(SHAPE).withQueries(999, 2001).withKeys(500, 1000);
        Tensor cells = Objects.requireNonNull(mask.cells(chunk));
        assertArrayEquals(new long[] {1, 1, 3, 1}, cells.shape(), "the cells of queries 999 to 2000");
        assertNotNull(mask.spans(chunk));
        assertEquals(3 + 8, mask.bytes(chunk));
    }
}
