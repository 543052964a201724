package dev.heed.tensor;

import static dev.heed.TensorAssertions.assertRefused;
import static dev.heed.TensorAssertions.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests that views share memory and copies do not. */
class TensorViewTest {
    /** A tensor {@code [2, 3, 4]} whose element {@code [a, b, c]} is {@code 100 a + 10 b + c}. */
    private final Tensor digits = counted();

    private static Tensor counted() {
        Tensor tensor = Tensor.zeros(DType.F32, 2, 3, 4);
        for (int n = 0; n < 24; n++) {
            tensor.set(100 * (n / 12) + 10 * (n / 4 % 3) + n % 4, n / 12, n / 4 % 3, n % 4);
        }
        return tensor;
    }

    @Test
    void sliceKeepsTheAxis() {
        Tensor slice = digits.slice(1, 1, 3).slice(-1, 2, 3);
        assertArrayEquals(new long[] {2, 2, 1}, slice.shape());
        assertArrayEquals(new double[] {12, 22, 112, 122}, slice.toDoubleArray());
        slice.set(-5, 1, 0, 0);
        assertEquals(-5, digits.get(1, 1, 2));
    }

    @Test
    void selectDropsTheAxis() {
        assertArrayEquals(
                new double[] {10, 11, 12, 13}, digits.select(0, 0).select(0, 1).toDoubleArray());
        assertArrayEquals(
                new double[] {3, 13, 23, 103, 113, 123}, digits.select(-1, 3).toDoubleArray());
    }

    @Test
    void transposeExchangesAxes() {
        Tensor turned = digits.transpose(0, 2);
        assertArrayEquals(new long[] {4, 3, 2}, turned.shape());
        assertEquals(123, turned.get(3, 2, 1));
        assertFalse(turned.isContiguous());
        assertSame(digits.segment(), turned.segment());
        assertSameBits(digits, turned.transpose(2, 0));
    }

    @Test
    void splitCutsAnAxis() {
        Tensor split = digits.split(2, 2);
        assertArrayEquals(new long[] {2, 3, 2, 2}, split.shape());
        assertEquals(112, split.get(1, 1, 1, 0));
        assertEquals(112, digits.transpose(0, 2).split(0, 2).get(1, 0, 1, 1));
    }

    @Test
    void expandRepeatsWithoutACopy() {
        Tensor row = digits.slice(0, 0, 1).slice(1, 2, 3);
        Tensor expanded = row.expand(5, 2, 3, 4);
        assertArrayEquals(new long[] {5, 2, 3, 4}, expanded.shape());
        assertEquals(23, expanded.get(4, 1, 2, 3));
        assertTrue(expanded.isExpanded());
        assertFalse(row.isExpanded());
        assertEquals(0, expanded.stride(0));
        row.set(-1, 0, 0, 0);
        assertEquals(-1, expanded.get(3, 0, 1, 0));
    }

    @Test
    void unsqueezeAddsAnAxisOfOne() {
        assertArrayEquals(new long[] {1, 2, 3, 4}, digits.unsqueeze(0).shape());
        assertArrayEquals(new long[] {2, 3, 4, 1}, digits.unsqueeze(-1).shape());
        assertTrue(digits.unsqueeze(1).isContiguous());
    }

    @Test
    void reshapeCopiesOnlyWhatIsNotContiguous() {
        Tensor flat = digits.reshape(6, 4);
        flat.set(-9, 5, 3);
        assertEquals(-9, digits.get(1, 2, 3));
        Tensor copied = digits.transpose(0, 1).reshape(24);
        assertNotSame(digits.segment(), copied.segment());
        assertArrayEquals(new double[] {100, 101}, copied.slice(0, 4, 6).toDoubleArray());
        assertEquals(10, digits.slice(0, 0, 1).slice(1, 1, 3).reshape(8).get(0));
    }

    @Test
    void packedProjectionsAreThreeViewsOfOneTensor() {
        Tensor packed = Tensor.zeros(DType.F32, 2, 5, 3 * 8);
        Tensor query = Layout.packed(packed.slice(2, 0, 8), 2);
        Tensor value = Layout.packed(packed.slice(2, 16, 24), 2);
        assertArrayEquals(new long[] {2, 2, 5, 4}, query.shape());
        assertSame(packed.segment(), query.segment());
        value.set(7, 1, 1, 4, 3);
        assertEquals(7, packed.get(1, 4, 23));
        assertEquals(0, query.get(1, 1, 4, 3));
    }

    @Test
    void layoutsBecomeHeadsBeforeSequence() {
        Tensor bshd = Tensor.zeros(DType.F32, 2, 5, 3, 4);
        bshd.set(8, 1, 4, 2, 3);
        assertEquals(8, Layout.BSHD.toBhsd(bshd).get(1, 2, 4, 3));
        assertSame(bshd, Layout.BHSD.toBhsd(bshd));
        assertRefused(null, () -> Layout.BSHD.toBhsd(digits));
        assertRefused(null, () -> Layout.packed(bshd, 2));
        assertRefused(null, () -> Layout.packed(digits, 3));
        assertRefused(null, () -> Layout.packed(digits, 0));
    }

    @Test
    void viewsOutsideTheTensorAreRefused() {
        assertRefused(null, () -> digits.slice(0, 0, 3));
        assertRefused(null, () -> digits.slice(0, -1, 1));
        assertRefused(null, () -> digits.slice(0, 1, 1));
        assertRefused(null, () -> digits.select(1, 3));
        assertRefused(null, () -> digits.split(2, 3));
        assertRefused(null, () -> digits.split(2, -2));
        assertRefused(null, () -> digits.expand(2, 3, 5));
        assertRefused(null, () -> digits.expand(3, 4));
        assertRefused(null, () -> digits.reshape(5, 5));
        assertRefused(null, () -> digits.copyFrom(Tensor.zeros(DType.F32, 4, 3, 2)));
        assertThrows(IndexOutOfBoundsException.class, () -> digits.size(3));
        assertThrows(IndexOutOfBoundsException.class, () -> digits.transpose(0, -4));
        assertThrows(IndexOutOfBoundsException.class, () -> digits.unsqueeze(5));
        assertThrows(IndexOutOfBoundsException.class, () -> digits.get(0, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> digits.get(0, 3, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> digits.set(1, 0, 0, -1));
    }

    @Test
    void overlapsIsAboutMemory() {
        assertTrue(digits.overlaps(digits));
        assertTrue(digits.overlaps(digits.slice(0, 1, 2)));
        assertFalse(digits.slice(0, 0, 1).overlaps(digits.slice(0, 1, 2)));
        assertFalse(digits.overlaps(digits.copy()));
        float[] data = new float[10];
        Tensor whole = Tensor.of(data, 10);
        Tensor part = Tensor.of(MemorySegment.ofArray(data).asSlice(16, 8), DType.F32, 2);
        assertTrue(whole.overlaps(part) && part.overlaps(whole));
        assertFalse(whole.slice(0, 0, 4).overlaps(part));
        assertTrue(part.overlaps(part.expand(3, 2)));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(40);
            Tensor floats = Tensor.of(memory, DType.F32, 10);
            Tensor doubles = Tensor.of(memory.asSlice(32), DType.F64, 1);
            assertTrue(floats.overlaps(doubles));
            assertFalse(floats.slice(0, 0, 8).overlaps(doubles));
            assertFalse(floats.overlaps(whole));
        }
    }

    @Test
    void readOnlyViewsCannotBeWrittenButChangeWithTheTensor() {
        Tensor readOnly = digits.asReadOnly();
        assertThrows(IllegalArgumentException.class, () -> readOnly.set(1, 0, 0, 0));
        assertThrows(
                IllegalArgumentException.class, () -> readOnly.transpose(0, 1).fill(1));
        assertTrue(readOnly.select(0, 0).isReadOnly());
        digits.set(77, 0, 0, 0);
        assertEquals(77, readOnly.get(0, 0, 0));
        assertFalse(readOnly.copy().isReadOnly());
        assertFalse(digits.isReadOnly());
    }

    @ParameterizedTest
    @EnumSource
    void copiesRoundToTheirType(DType type) {
        Tensor source = Tensor.of(new double[] {0, 1, 2.7, -3.9, 1e-3, 100.5}, 2, 3);
        double[] expected = source.toDoubleArray();
        for (int i = 0; i < expected.length; i++) {
            expected[i] = type.round(expected[i]);
        }
        assertArrayEquals(expected, source.to(type).toDoubleArray());
        assertArrayEquals(
                expected, source.transpose(0, 1).to(type).transpose(0, 1).toDoubleArray());
        assertEquals(type, source.to(type).type());
    }

    @Test
    void copyFromReadsStridedSourcesIntoStridedTargets() {
        Tensor target = Tensor.zeros(DType.F32, 4, 3, 2);
        target.transpose(0, 2).copyFrom(digits);
        assertEquals(123, target.get(3, 2, 1));
        Tensor window =
                Tensor.zeros(DType.F32, 4, 5, 6).slice(0, 1, 3).slice(1, 1, 4).slice(2, 1, 5);
        window.copyFrom(digits);
        assertSameBits(digits, window.copy());
        assertEquals(24, window.toFloatArray().length);
    }

    @Test
    void contiguityLooksPastAxesOfOne() {
        assertTrue(Tensor.zeros(DType.F32, 3, 1, 4).transpose(0, 1).isContiguous());
        assertTrue(digits.slice(0, 1, 2).isContiguous());
        assertFalse(digits.slice(2, 0, 3).isContiguous());
    }

    @Test
    void shapesAreCopies() {
        digits.shape()[0] = 99;
        assertEquals(2, digits.size(0));
        long[] sizes = {4, 6};
        Tensor reshaped = digits.reshape(sizes);
        sizes[0] = 99;
        assertEquals(4, reshaped.size(0));
    }

    @Test
    void partsOfAPackedTensorDoNotOverlap() {
        Tensor packed = Tensor.zeros(DType.F32, 2, 5, 3, 4, 8);
        Tensor q = packed.select(2, 0).transpose(1, 2);
        Tensor k = packed.select(2, 1).transpose(1, 2);
        assertFalse(q.overlaps(k));
        assertFalse(k.overlaps(q));
        assertTrue(q.overlaps(q.slice(2, 2, 4)));
        assertTrue(q.overlaps(packed));
        assertFalse(q.slice(1, 0, 2).overlaps(q.slice(1, 2, 4)));
        assertTrue(q.slice(1, 0, 3).overlaps(q.slice(1, 2, 4)));
    }

    /** Compares {@code overlaps} with the actual memory: fills one tensor with ones and looks for ones in the other. */
    @Test
    void overlapIsExactForEqualStrides() {
        Tensor whole = Tensor.zeros(DType.F32, 4, 6, 5);
        for (int n = 0; n < 2000; n++) {
            Tensor a = randomPart(whole, new Random(n));
            Tensor b = randomPart(whole, new Random(n + 100_000));
            whole.fill(0);
            a.fill(1);
            boolean shared = Arrays.stream(b.toDoubleArray()).anyMatch(value -> value == 1);
            assertEquals(shared, a.overlaps(b), a + " at " + a.offset() + " and " + b + " at " + b.offset());
        }
    }

    private static Tensor randomPart(Tensor whole, Random random) {
        Tensor part = whole;
        for (int axis = 0; axis < 3; axis++) {
            int size = (int) whole.size(axis);
            int from = random.nextInt(size);
            part = part.slice(axis, from, from + 1 + random.nextInt(size - from));
        }
        return part;
    }

    /**
     * Each of {@code get}, {@code set} and {@code position} has an overload per number of indices, which must agree with
     * the overload for an index array.
     */
    @Test
    void indicesWithoutAnArrayMeanTheSame() {
        for (int rank = 1; rank <= 4; rank++) {
            Tensor tensor = Tensor.zeros(DType.F32, Arrays.copyOf(new long[] {7, 6, 5, 4}, rank));
            long[] last = Arrays.stream(tensor.shape()).map(size -> size - 1).toArray();
            Tensor view = tensor.slice(0, 1, tensor.size(0));
            long[] index = last.clone();
            index[0]--;
            long position = view.position(index);
            assertEquals(tensor.elementCount() - 1, position);
            assertEquals(position, position(view, index));
            set(view, 40 + rank, index);
            assertEquals(40 + rank, view.get(index));
            assertEquals(40 + rank, get(view, index));
            for (int axis = 0; axis < rank; axis++) {
                for (long outside : new long[] {-1, view.size(axis)}) {
                    long[] wrong = index.clone();
                    wrong[axis] = outside;
                    assertEquals(refusal(() -> view.position(wrong)), refusal(() -> position(view, wrong)));
                }
            }
            Tensor deeper = view.unsqueeze(0);
            assertEquals(refusal(() -> deeper.position(index)), refusal(() -> position(deeper, index)));
        }
    }

    private static long position(Tensor t, long[] i) {
        return switch (i.length) {
            case 1 -> t.position(i[0]);
            case 2 -> t.position(i[0], i[1]);
            case 3 -> t.position(i[0], i[1], i[2]);
            default -> t.position(i[0], i[1], i[2], i[3]);
        };
    }

    private static double get(Tensor t, long[] i) {
        return switch (i.length) {
            case 1 -> t.get(i[0]);
            case 2 -> t.get(i[0], i[1]);
            case 3 -> t.get(i[0], i[1], i[2]);
            default -> t.get(i[0], i[1], i[2], i[3]);
        };
    }

    private static void set(Tensor t, double value, long[] i) {
        switch (i.length) {
            case 1 -> t.set(value, i[0]);
            case 2 -> t.set(value, i[0], i[1]);
            case 3 -> t.set(value, i[0], i[1], i[2]);
            default -> t.set(value, i[0], i[1], i[2], i[3]);
        }
    }

    private static String refusal(Executable call) {
        return assertThrows(IndexOutOfBoundsException.class, call).getMessage();
    }
}
