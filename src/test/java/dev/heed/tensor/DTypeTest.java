package dev.heed.tensor;

import static dev.heed.TensorAssertions.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.math.BigDecimal;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests that conversions round once, to nearest, ties to even. The expected results come from exact decimal arithmetic. */
class DTypeTest {
    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16"})
    void everyBitPatternSurvivesLoadingAndStoring(DType type) {
        short[] patterns = new short[1 << 16];
        for (int bits = 0; bits < patterns.length; bits++) {
            patterns[bits] = (short) bits;
        }
        Tensor all = Tensor.of(MemorySegment.ofArray(patterns), type, 1 << 16);
        short[] stored = new short[1 << 16];
        Tensor again = Tensor.of(MemorySegment.ofArray(stored), type, 1 << 16);
        for (int bits = 0; bits < patterns.length; bits++) {
            double value = all.at(bits);
            again.put(bits, value);
            if (Double.isNaN(value)) {
                assertTrue(Double.isNaN(again.at(bits)), Integer.toHexString(bits));
            } else {
                assertEquals(patterns[bits], stored[bits], Integer.toHexString(bits));
                assertEquals(value, type.round(value));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16"})
    void valuesAreWhatTheFormatSays(DType type) {
        Format format = Format.of(type);
        short[] patterns = new short[1 << 16];
        for (int bits = 0; bits < patterns.length; bits++) {
            patterns[bits] = (short) bits;
        }
        Tensor all = Tensor.of(MemorySegment.ofArray(patterns), type, 1 << 16);
        for (int bits = 0; bits < patterns.length; bits++) {
            assertEquals(format.value(bits), all.at(bits), Integer.toHexString(bits));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16"})
    void doublesRoundToTheNearestNumberOfTheFormat(DType type) {
        Format format = Format.of(type);
        TreeMap<Double, Integer> numbers = format.finiteNumbers();
        var random = new Random(1);
        for (int n = 0; n < 200_000; n++) {
            double near = format.value(random.nextInt(1 << 16));
            if (Double.isFinite(near)) {
                assertRounds(type, numbers, near * (1 + random.nextGaussian() / 300));
                assertRounds(type, numbers, near + format.smallest() * random.nextGaussian());
            }
        }
    }

    /**
     * Tests values halfway between neighbouring values of the format, and the next double on either side. Rounding these
     * doubles twice, first to f32, would give wrong results.
     */
    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16"})
    void tiesGoToEvenAndTheirNeighboursDoNot(DType type) {
        TreeMap<Double, Integer> numbers = Format.of(type).finiteNumbers();
        Double lower = null;
        for (double upper : numbers.keySet()) {
            if (lower != null) {
                double tie = lower + (upper - lower) / 2;
                assertRounds(type, numbers, tie);
                assertRounds(type, numbers, Math.nextUp(tie));
                assertRounds(type, numbers, Math.nextDown(tie));
                assertRounds(type, numbers, tie + Math.ulp((float) tie) / 4);
            }
            lower = upper;
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16"})
    void overflowIsInfinityFromHalfAStepBeyondTheLargest(DType type) {
        Format format = Format.of(type);
        double largest = format.finiteNumbers().lastKey();
        double step = largest - format.finiteNumbers().lowerKey(largest);
        assertEquals(largest, type.round(Math.nextDown(largest + step / 2)));
        assertEquals(Double.POSITIVE_INFINITY, type.round(largest + step / 2));
        assertEquals(Double.NEGATIVE_INFINITY, type.round(-largest - step / 2));
        assertEquals(Double.POSITIVE_INFINITY, type.round(Double.MAX_VALUE));
        assertEquals(Double.NEGATIVE_INFINITY, type.round(Double.NEGATIVE_INFINITY));
        assertTrue(Double.isNaN(type.round(Double.NaN)));
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    void underflowIsASignedZero(DType type) {
        assertEquals(0.0, type.round(Double.MIN_VALUE));
        assertEquals(-0.0, type.round(-Double.MIN_VALUE));
        assertEquals(-0.0, type.round(-0.0));
    }

    /** bf16 and f16 have no room for the lower half of the payload, but the value stays a NaN. */
    @Test
    void nanWithAPayloadInTheLowerHalfStaysNan() {
        assertTrue(Double.isNaN(DType.BF16.round(Float.intBitsToFloat(0x7f800001))));
        assertTrue(Double.isNaN(DType.F16.round(Float.intBitsToFloat(0xff800001))));
    }

    @Test
    void storingAndRoundingAgree() {
        var random = new Random(2);
        for (DType type : DType.values()) {
            Tensor one = Tensor.zeros(type, 1);
            for (int n = 0; n < 10_000; n++) {
                double value = random.nextGaussian() * Math.pow(10, random.nextInt(-8, 9));
                one.set(value, 0);
                assertEquals(type.round(value), one.get(0), type + " of " + value);
            }
        }
    }

    @Test
    void labelsPrintAndParse() {
        for (DType type : DType.values()) {
            assertEquals(type, DType.parse(type.label()));
        }
        assertRefused(null, () -> DType.parse("F32"));
        assertRefused(null, () -> DType.parse(""));
        assertTrue(assertRefused(null, () -> DType.parse("int8")).getMessage().contains("bf16"));
    }

    @Test
    void kindsOfTypes() {
        for (DType type : DType.values()) {
            assertFalse(type.isFloating() && type.isInteger());
            assertEquals(type == DType.F64 ? DType.F64 : DType.F32, type.accumulator());
        }
        assertTrue(DType.BF16.isFloating() && DType.I32.isInteger());
        assertFalse(DType.BOOL.isFloating() || DType.BOOL.isInteger());
    }

    private static void assertRounds(DType type, TreeMap<Double, Integer> numbers, double value) {
        Double below = numbers.floorKey(value);
        Double above = numbers.ceilingKey(value);
        if (below == null || above == null) {
            return; // beyond the largest finite value; the overflow test covers this
        }
        BigDecimal exact = new BigDecimal(value);
        int nearer = exact.subtract(new BigDecimal(below)).compareTo(new BigDecimal(above).subtract(exact));
        boolean evenBelow = numbers.get(below) % 2 == 0;
        double expected = nearer < 0 || nearer == 0 && evenBelow ? below : above;
        assertEquals(expected + 0.0, type.round(value) + 0.0, () -> type + " of " + value);
    }

    /** A 16-bit binary floating-point format, encoded by the rules of IEEE 754. */
    private record Format(int exponentBits, int fractionBits) {
        static Format of(DType type) {
            return type == DType.F16 ? new Format(5, 10) : new Format(8, 7);
        }

        double value(int bits) {
            double sign = bits >>> 15 == 0 ? 1 : -1;
            int largestExponent = (1 << exponentBits) - 1;
            int exponent = bits >>> fractionBits & largestExponent;
            double fraction = (bits & (1 << fractionBits) - 1) / (double) (1 << fractionBits);
            int bias = largestExponent / 2;
            if (exponent == largestExponent) {
                return fraction == 0 ? sign * Double.POSITIVE_INFINITY : Double.NaN;
            }
            return sign
                    * (exponent == 0
                            ? fraction * Math.pow(2, 1 - bias)
                            : (1 + fraction) * Math.pow(2, exponent - bias));
        }

        double smallest() {
            return value(1);
        }

        /** {@return every finite number with its bit pattern; 0.0 and -0.0 are one entry} */
        TreeMap<Double, Integer> finiteNumbers() {
            var numbers = new TreeMap<Double, Integer>();
            for (int bits = 0; bits < 1 << 16; bits++) {
                double value = value(bits);
                if (Double.isFinite(value)) {
                    numbers.putIfAbsent(value + 0.0, bits);
                }
            }
            return numbers;
        }
    }
}
