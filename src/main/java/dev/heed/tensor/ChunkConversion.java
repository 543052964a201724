package dev.heed.tensor;

import dev.heed.tensor.ChunkArrays.Use;

/** The conversion of chunks from one element type to another, through f32 unless one of the types is f32. */
final class ChunkConversion {
    private final DType from;
    private final DType to;
    private final ChunkArrays arrays;

    /** Whether values that f32 cannot hold are rounded to odd, because they are rounded again, see {@link Narrowing}. */
    private final boolean odd;

    ChunkConversion(DType from, DType to, ChunkArrays arrays) {
        this.from = from;
        this.to = to;
        this.arrays = arrays;
        this.odd = to == DType.F16 || to == DType.BF16;
    }

    /** {@return whether the conversion is one loop without scratch arrays} */
    boolean direct() {
        return from != DType.BF16
                && to != DType.BF16
                && (from == DType.F32 || to == DType.F32 || from == DType.I8 && to == DType.F64);
    }

    /** Converts all elements of a chunk. */
    void run(TensorChunk source, Object into, int at, int count) {
        if (from == DType.I8 && to == DType.F64) {
            source.scale(into, at);
            return;
        }
        if (from == DType.F32) {
            narrow((float[]) source.read(), source.at, into, at, count);
        } else if (to == DType.F32) {
            widen(source, (float[]) into, at, count);
        } else {
            var floats = (float[]) arrays.of(Use.FLOATS, DType.F32);
            widen(source, floats, 0, count);
            narrow(floats, 0, into, at, count);
        }
    }

    private void widen(TensorChunk source, float[] into, int at, int count) {
        switch (from) {
            case F16 -> Conversions.halvesToFloats((short[]) source.read(), source.at, into, at, count);
            case BF16 -> {
                var wide = (long[]) arrays.of(Use.PAIRS, DType.I64);
                Conversions.bfloatsToFloats((short[]) source.read(), source.at, bits(), wide, into, at, count);
            }
            case F64 -> toFloats((double[]) source.read(), source.at, into, at, count);
            default -> {
                if (!odd) {
                    source.scale(into, at);
                } else {
                    var products = (double[]) arrays.of(Use.PRODUCTS, DType.F64);
                    source.scale(products, 0);
                    toFloats(products, 0, into, at, count);
                }
            }
        }
    }

    private int[] bits() {
        return (int[]) arrays.of(Use.BITS, DType.I32);
    }

    private void toFloats(double[] numbers, int first, float[] into, int at, int count) {
        if (odd) {
            Conversions.doublesToOddFloats(numbers, first, into, at, count);
        } else {
            Conversions.doublesToFloats(numbers, first, into, at, count);
        }
    }

    private void narrow(float[] numbers, int first, Object into, int at, int count) {
        switch (to) {
            case F16 -> Conversions.floatsToHalves(numbers, first, (short[]) into, at, count);
            case BF16 -> Conversions.floatsToBfloats(numbers, first, bits(), (short[]) into, at, count);
            default -> Conversions.floatsToDoubles(numbers, first, (double[]) into, at, count);
        }
    }
}
