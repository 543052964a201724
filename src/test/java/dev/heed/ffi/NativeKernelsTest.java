package dev.heed.ffi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.heed.ffi.NativeKernels.Runs;
import dev.heed.ffi.NativeKernels.Scales;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Tests of native kernels called from Java: conversions equal the JDK's, int8 scores equal exact sums, and a call with any
 * arguments either writes only within its segments or throws an exception before it accesses them.
 */
@Tag("slow")
class NativeKernelsTest {
    private static final int ROOM = 4096;
    private static final int GUARD = 512;

    private final Random random = new Random(7);

    @BeforeEach
    void kernels() {
        assumeTrue(NativeLibrary.reasons().isEmpty(), NativeLibrary.reasons()::toString);
    }

    @Test
    void widensAndNarrowsAsTheJdkDoes() {
        short[] every = new short[1 << 16];
        for (int i = 0; i < every.length; i++) {
            every[i] = (short) i;
        }
        float[] wide = new float[every.length];
        short[] back = new short[every.length];
        NativeKernels.f16Widen(of(every), 0, every.length, of(wide), 0);
        NativeKernels.f16Narrow(of(wide), 0, every.length, of(back), 0);
        for (int i = 0; i < every.length; i++) {
            float there = Float.float16ToFloat(every[i]);
            assertEquals(Float.floatToIntBits(there), Float.floatToIntBits(wide[i]));
            assertEquals(Float.isNaN(there) ? every[i] | 0x200 : every[i], (int) back[i]);
        }
        NativeKernels.bf16Widen(of(every), 0, every.length, of(wide), 0);
        NativeKernels.bf16Narrow(of(wide), 0, 256, 256, 256, of(back), 0, 256);
        for (int i = 0; i < every.length; i++) {
            assertEquals(every[i] << 16, Float.floatToRawIntBits(wide[i]));
            assertEquals(Float.isNaN(wide[i]) ? every[i] | 0x40 : every[i], (int) back[i]);
        }
    }

    @Test
    void bytesMeetAQueryInWholeNumbers() {
        byte[] limbs = {1, -2, 3, 127, -128, 5, 0, 1, -1}; // three limb rows of depth 3: lowest, middle, highest
        byte[] keys = {1, 2, 3, -128, 127, -1};
        float[] scores = new float[2];
        NativeKernels.i8Dots(
                of(limbs),
                0,
                of(new float[] {0.5f}),
                1,
                new Runs(of(keys), 0, 3, 0, 1, 2),
                3,
                new Scales(of(new float[] {2, 0.25f}), 0, 1, 0),
                of(scores),
                0,
                2);
        double first = (1 - 4 + 9) + 256.0 * (127 - 256 + 15) + 65536.0 * (2 - 3);
        double second = (-128 - 254 - 3) + 256.0 * (-128 * 127 - 128 * 127 - 5) + 65536.0 * (127 + 1);
        assertArrayEquals(new float[] {(float) (first * 0.5) * 2, (float) (second * 0.5) * 0.25f}, scores);
    }

    @Test
    void numbersThatDoNotFitAreRefusedBeforeTheCall() {
        MemorySegment halves = of(new short[10]);
        MemorySegment floats = of(new float[10]);
        assertThrows(IndexOutOfBoundsException.class, () -> NativeKernels.bf16Widen(halves, 0, 11, floats, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> NativeKernels.bf16Widen(halves, -1, 5, floats, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> NativeKernels.bf16Widen(halves, 0, -1, floats, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> NativeKernels.bf16Widen(halves, 8, 3, floats, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> NativeKernels.f16Narrow(floats, 0, 10, halves, 1));
        assertThrows(
                ArithmeticException.class,
                () -> NativeKernels.bf16Transpose(halves, Long.MAX_VALUE, 5, 2, 5, false, halves, 0, 64));
        MemorySegment room = of(new short[1000]);
        var lanes = assertThrows(
                IndexOutOfBoundsException.class,
                () -> NativeKernels.bf16Transpose(halves, 0, 5, 2, 5, false, room, 0, 48));
        assertTrue(String.valueOf(lanes.getMessage()).contains("48 lanes"), lanes::toString);
        var runs = new Runs(halves, 0, 5, Long.MAX_VALUE / 2, 4, 1);
        assertThrows(
                ArithmeticException.class, () -> NativeKernels.bf16Pool(floats, 0, 4, 1, runs, 5, floats, 0, 5, false));
    }

    /**
     * Makes calls with random arguments near the limits: no call may write to a guard zone, and more than 5000 calls must pass
     * the checks.
     */
    @Test
    void noNumbersReachBeyondTheSegments() {
        int made = 0;
        for (int n = 0; n < 60_000; n++) {
            float[] to = new float[2 * GUARD + ROOM];
            short[] toHalves = new short[2 * GUARD + ROOM];
            Arrays.fill(to, 7);
            Arrays.fill(toHalves, (short) 7);
            try {
                call(n % 8, inner(of(to), 4), inner(of(toHalves), 2));
                made++;
            } catch (IndexOutOfBoundsException | ArithmeticException refused) {
                // thrown before any memory was accessed
            }
            for (int i = 0; i < GUARD; i++) {
                assertTrue(to[i] == 7 && to[to.length - 1 - i] == 7, "guard zone of floats");
                assertTrue(toHalves[i] == 7 && toHalves[toHalves.length - 1 - i] == 7, "guard zone of halves");
            }
        }
        assertTrue(made > 5_000, "only " + made + " calls were made");
    }

    private void call(int kind, MemorySegment to, MemorySegment toHalves) {
        MemorySegment halves = of(new short[ROOM]);
        MemorySegment floats = of(new float[ROOM]);
        MemorySegment bytes = of(new byte[ROOM]);
        var runs = new Runs(halves, some(20), some(80), some(900), random.nextBoolean() ? 4 : 1, (int) some(20));
        var byteRuns = new Runs(bytes, runs.at(), runs.row(), runs.runStride(), runs.runs(), runs.count());
        var scales = new Scales(floats, some(20), some(5), some(900));
        int rows = (int) some(8);
        int width = (int) some(90);
        int lanes = 16 << random.nextInt(3);
        switch (kind) {
            case 0 ->
                NativeKernels.bf16Product(
                        halves,
                        some(9),
                        some(90),
                        some(4),
                        rows,
                        halves,
                        0,
                        lanes,
                        (int) some(40),
                        to,
                        some(9),
                        64,
                        true);
            case 1 ->
                NativeKernels.bf16Transpose(
                        halves, some(9), some(90), (int) some(66), width, true, toHalves, some(9), lanes);
            case 2 ->
                NativeKernels.bf16Interleave(halves, some(9), some(90), rows, width, toHalves, some(9), some(300));
            case 3 -> NativeKernels.bf16Pairs(floats, some(9), 64, rows, toHalves, some(9), lanes);
            case 4 -> NativeKernels.bf16Dots(halves, some(9), width, rows, runs, width, to, some(9), some(99));
            case 5 ->
                NativeKernels.i8Dots(bytes, some(9), floats, rows, byteRuns, width, scales, to, some(9), some(99));
            case 6 -> NativeKernels.f16Pool(floats, some(9), some(99), rows, runs, width, to, some(9), some(99), true);
            default ->
                NativeKernels.i8Pool(
                        floats, some(9), some(99), rows, byteRuns, width, scales, to, some(9), some(99), false);
        }
    }

    /** Returns a number that is usually small, but sometimes negative, huge, or near the segment's size. */
    private long some(int usual) {
        return switch (random.nextInt(40)) {
            case 0 -> -random.nextInt(100);
            case 1 -> ROOM - random.nextInt(5);
            case 2 -> random.nextLong();
            default -> 1 + random.nextInt(usual);
        };
    }

    private static MemorySegment inner(MemorySegment whole, int bytes) {
        return whole.asSlice((long) GUARD * bytes, (long) ROOM * bytes);
    }

    private static MemorySegment of(float[] data) {
        return MemorySegment.ofArray(data);
    }

    private static MemorySegment of(short[] data) {
        return MemorySegment.ofArray(data);
    }

    private static MemorySegment of(byte[] data) {
        return MemorySegment.ofArray(data);
    }
}
