package dev.heed.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests copies between all element types, layouts and kinds of memory against the rounding of single elements. */
class TensorCopyTest {
    /** A place for the elements of a tensor. */
    private enum Memory {
        ARRAY,
        BYTES,
        UNALIGNED,
        NATIVE
    }

    /** Views of a tensor [3, 4, 5, 6] with holes, other orders of axes, broadcast axes, one row or one element. */
    private static final List<UnaryOperator<Tensor>> VIEWS = List.of(
            t -> t,
            t -> t.transpose(1, 2),
            t -> t.transpose(2, 3),
            t -> t.transpose(0, 3),
            t -> t.slice(2, 1, 4),
            t -> t.slice(3, 2, 5),
            t -> t.slice(0, 1, 2).slice(1, 2, 3),
            t -> t.slice(3, 2, 3),
            t -> t.select(1, 2),
            t -> t.select(0, 0).select(0, 1).select(0, 2).select(0, 3));

    private static final long[] SHAPE = {3, 4, 5, 6};

    static Stream<Arguments> pairs() {
        return Stream.concat(Arrays.stream(DType.values()).map(DType::label), Stream.of("scaled"))
                .flatMap(from -> Arrays.stream(DType.values()).map(to -> Arguments.of(from, to)));
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void everyElementIsRoundedOnce(String from, DType to) {
        for (Memory here : Memory.values()) {
            Tensor source = from.equals("scaled") ? scaled() : numbers(DType.parse(from), here);
            for (Memory there : Memory.values()) {
                for (UnaryOperator<Tensor> view : VIEWS) {
                    Tensor read = view.apply(source);
                    for (UnaryOperator<Tensor> other : VIEWS) {
                        Tensor space = allocate(to, there, SHAPE);
                        Tensor written = other.apply(space);
                        if (Arrays.equals(written.shape(), read.shape())) {
                            written.copyFrom(read);
                            assertRounded(read, written);
                            long changed = Arrays.stream(space.toDoubleArray())
                                    .filter(x -> x != 0)
                                    .count();
                            long own = Arrays.stream(written.toDoubleArray())
                                    .filter(x -> x != 0)
                                    .count();
                            assertEquals(own, changed, "elements outside the view");
                        }
                    }
                    if (!from.equals("scaled") || to != DType.I8) { // to(I8) computes new scales
                        assertRounded(read, read.to(to));
                    }
                }
            }
        }
    }

    @Test
    void broadcastElementsAreRepeated() {
        Tensor row =
                numbers(DType.BF16, Memory.NATIVE).select(0, 0).select(0, 0).slice(0, 0, 1);
        assertRounded(row.expand(4, 6), row.expand(4, 6).to(DType.F32));
        Tensor column = row.transpose(0, 1).expand(6, 3);
        assertRounded(column, column.to(DType.F16));
    }

    @Test
    void longRowsAreCopiedInChunks() {
        Tensor numbers = Tensor.zeros(DType.F32, 3, 5000);
        var random = new SplittableRandom(1);
        for (long i = 0; i < numbers.elementCount(); i++) {
            numbers.put(i, random.nextDouble(-3, 3));
        }
        for (DType type : new DType[] {DType.F64, DType.F16, DType.BF16}) {
            for (Tensor view : List.of(numbers, numbers.slice(1, 1, 4990), numbers.transpose(0, 1))) {
                Tensor narrow = view.to(type);
                assertRounded(view, narrow);
                assertRounded(narrow, narrow.to(DType.F32));
                assertRounded(narrow.transpose(0, 1), narrow.transpose(0, 1).to(DType.F64));
            }
        }
    }

    /** Rows of odd lengths that begin at element 1, in arrays and in an arena, in several chunks and with steps near and far. */
    @ParameterizedTest
    @MethodSource("pairs")
    void oddRowsInSeveralChunks(String from, DType to) {
        for (Memory memory : new Memory[] {Memory.ARRAY, Memory.NATIVE}) {
            Tensor floats = Tensor.zeros(DType.F32, 5, 3001);
            var random = new SplittableRandom(3);
            for (long i = 0; i < floats.elementCount(); i++) {
                floats.put(i, random.nextDouble(-3, 3));
            }
            DType type = from.equals("scaled") ? DType.I8 : DType.parse(from);
            Tensor source = from.equals("scaled") ? floats.quantized() : allocate(type, memory, 5, 3001);
            if (!from.equals("scaled")) {
                source.copyFrom(floats);
            }
            Tensor pairs = source.slice(1, 1, 3001).split(1, 1500).select(2, 0);
            for (Tensor view :
                    List.of(source.slice(1, 1, 2500), pairs, source.slice(1, 7, 50), source.transpose(0, 1))) {
                Tensor written = allocate(to, memory, view.shape());
                written.copyFrom(view);
                assertRounded(view, written);
            }
        }
    }

    @Test
    void doublesAreRoundedOnceAtEveryMagnitude() {
        var random = new SplittableRandom(5);
        double[] numbers = new double[20_000];
        for (int i = 0; i < numbers.length; i++) {
            double tie = 1 + random.nextInt(256) * 0x1p-8 + random.nextInt(-1, 2) * 0x1p-50;
            numbers[i] = Math.scalb(random.nextBoolean() ? tie : -tie, random.nextInt(-155, 132));
        }
        Tensor wide = Tensor.of(numbers, numbers.length);
        for (DType type : new DType[] {DType.BF16, DType.F16}) {
            Tensor narrow = wide.to(type);
            for (int i = 0; i < numbers.length; i++) {
                assertEquals(nearest(numbers[i], type), narrow.get(i), 0.0, type + " of " + numbers[i]);
            }
        }
    }

    /** Rounds by exact arithmetic: a multiple of the distance between neighbours at the magnitude of the value. */
    private static double nearest(double value, DType type) {
        int digits = type == DType.F16 ? 11 : 8;
        int smallest = type == DType.F16 ? -14 : -126;
        double unit = Math.scalb(1.0, Math.max(Math.getExponent(value), smallest) - digits + 1);
        double rounded = Math.rint(value / unit) * unit;
        double limit = type == DType.F16 ? 0x1p16 : 0x1p128;
        return Math.abs(rounded) >= limit ? Math.copySign(Double.POSITIVE_INFINITY, value) : rounded;
    }

    @Test
    void copiesOfOtherThreadsDoNotShareScratchMemory() {
        Tensor source = numbers(DType.BF16, Memory.NATIVE).transpose(1, 2);
        float[] expected = source.toFloatArray();
        boolean equal = java.util.stream.IntStream.range(0, 4000)
                .parallel()
                .allMatch(i -> Arrays.equals(expected, source.toFloatArray()));
        assertEquals(true, equal);
    }

    @Test
    void arraysHaveTheElementsInRowMajorOrder() {
        Tensor t = numbers(DType.BF16, Memory.BYTES).transpose(1, 3);
        float[] floats = t.toFloatArray();
        double[] doubles = t.toDoubleArray();
        int n = 0;
        for (long i = 0; i < t.size(0); i++) {
            for (long j = 0; j < t.size(1); j++) {
                for (long k = 0; k < t.size(2); k++) {
                    for (long l = 0; l < t.size(3); l++, n++) {
                        assertEquals(t.get(i, j, k, l), doubles[n]);
                        assertEquals((float) t.get(i, j, k, l), floats[n]);
                    }
                }
            }
        }
    }

    @Test
    void bitsOfNaNsAreKeptWithoutConversion() {
        Tensor bits =
                Tensor.of(new float[] {Float.intBitsToFloat(0x7fa12345), 1, Float.intBitsToFloat(0xffc54321), 2}, 2, 2);
        Tensor copy = Tensor.zeros(DType.F32, 2, 2);
        copy.transpose(0, 1).copyFrom(bits.transpose(0, 1));
        assertArrayEquals(
                bits.segment().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE),
                copy.segment().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE));
    }

    private static void assertRounded(Tensor from, Tensor to) {
        long[] index = new long[from.rank()];
        for (long n = 0; n < from.elementCount(); n++) {
            long rest = n;
            for (int axis = from.rank() - 1; axis >= 0; axis--) {
                index[axis] = rest % from.size(axis);
                rest /= from.size(axis);
            }
            double expected = to.type() == DType.I64 && from.type() == DType.I64
                    ? from.get(index)
                    : to.type().round(from.get(index));
            assertEquals(expected, to.get(index), () -> from + " to " + to + " at " + Arrays.toString(index));
        }
    }

    /** Numbers of all magnitudes, with values between two narrow floats, zeros of both signs, infinities and a NaN. */
    private static Tensor numbers(DType type, Memory memory) {
        var random = new SplittableRandom(7);
        Tensor numbers = allocate(type, memory, SHAPE);
        for (long i = 0; i < numbers.elementCount(); i++) {
            double magnitude = Math.scalb(random.nextDouble(-2, 2), random.nextInt(-30, 20));
            double tie = 1 + Math.scalb(1.0, -8) + Math.scalb(1.0, -random.nextInt(20, 50));
            numbers.put(
                    numbers.offset() + i,
                    switch (random.nextInt(16)) {
                        case 0 -> 0.0;
                        case 1 -> -0.0;
                        case 2 -> Double.POSITIVE_INFINITY;
                        case 3 -> Double.NaN;
                        case 4 -> tie;
                        case 5 -> random.nextInt(-128, 128);
                        default -> magnitude;
                    });
        }
        return numbers;
    }

    private static Tensor scaled() {
        float[] finite = numbers(DType.F32, Memory.ARRAY).toFloatArray();
        for (int i = 0; i < finite.length; i++) {
            finite[i] = Float.isFinite(finite[i]) ? finite[i] : i;
        }
        return Tensor.of(finite, SHAPE).quantized();
    }

    private static Tensor allocate(DType type, Memory memory, long... shape) {
        long bytes = Arrays.stream(shape).reduce(1, (a, b) -> a * b) * type.bytes();
        MemorySegment segment = switch (memory) {
            case ARRAY -> Tensor.zeros(type, shape).segment();
            case BYTES -> MemorySegment.ofArray(new byte[(int) bytes]);
            case UNALIGNED -> MemorySegment.ofArray(new byte[(int) bytes + 1]).asSlice(1);
            case NATIVE -> Arena.ofAuto().allocate(bytes, 64);
        };
        return Tensor.of(segment, type, shape);
    }
}
