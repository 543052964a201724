package dev.heed.tensor;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * The type of a tensor's elements, in the machine's byte order.
 *
 * <p>{@link #F16} and {@link #BF16} are storage types: sums, maxima and the LSE are computed in f32 or wider. Conversions to
 * a narrower floating-point type round once, to nearest, ties to even.
 */
public enum DType {
    /** IEEE 754 binary64. */
    F64(8) {
        @Override
        double load(MemorySegment segment, long byteOffset) {
            return segment.get(JAVA_DOUBLE_UNALIGNED, byteOffset);
        }

        @Override
        void store(MemorySegment segment, long byteOffset, double value) {
            segment.set(JAVA_DOUBLE_UNALIGNED, byteOffset, value);
        }

        @Override
        public double round(double value) {
            return value;
        }
    },
    /** IEEE 754 binary32. */
    F32(4) {
        @Override
        double load(MemorySegment segment, long byteOffset) {
            return segment.get(JAVA_FLOAT_UNALIGNED, byteOffset);
        }

        @Override
        void store(MemorySegment segment, long byteOffset, double value) {
            segment.set(JAVA_FLOAT_UNALIGNED, byteOffset, (float) value);
        }

        @Override
        public double round(double value) {
            return (float) value;
        }
    },
    /** IEEE 754 binary16: 11 significant bits, largest value 65504. */
    F16(2) {
        @Override
        double load(MemorySegment segment, long byteOffset) {
            return Float.float16ToFloat(segment.get(JAVA_SHORT_UNALIGNED, byteOffset));
        }

        @Override
        void store(MemorySegment segment, long byteOffset, double value) {
            segment.set(JAVA_SHORT_UNALIGNED, byteOffset, Float.floatToFloat16(Narrowing.toOddFloat(value)));
        }

        @Override
        public double round(double value) {
            return Float.float16ToFloat(Float.floatToFloat16(Narrowing.toOddFloat(value)));
        }
    },
    /** bfloat16, the upper half of binary32: 8 significant bits, the range of f32. */
    BF16(2) {
        @Override
        double load(MemorySegment segment, long byteOffset) {
            return Narrowing.bfloat16ToFloat(segment.get(JAVA_SHORT_UNALIGNED, byteOffset));
        }

        @Override
        void store(MemorySegment segment, long byteOffset, double value) {
            segment.set(JAVA_SHORT_UNALIGNED, byteOffset, Narrowing.floatToBfloat16(Narrowing.toOddFloat(value)));
        }

        @Override
        public double round(double value) {
            return Narrowing.bfloat16ToFloat(Narrowing.floatToBfloat16(Narrowing.toOddFloat(value)));
        }
    },
    /** 64-bit signed integers: positions, indices and lengths. */
    I64(8) {
        @Override
        double load(MemorySegment segment, long byteOffset) {
            return segment.get(JAVA_LONG_UNALIGNED, byteOffset);
        }

        @Override
        void store(MemorySegment segment, long byteOffset, double value) {
            segment.set(JAVA_LONG_UNALIGNED, byteOffset, (long) value);
        }

        @Override
        public double round(double value) {
            return (long) value;
        }
    },
    /** 32-bit signed integers: positions, indices and lengths. */
    I32(4) {
        @Override
        double load(MemorySegment segment, long byteOffset) {
            return segment.get(JAVA_INT_UNALIGNED, byteOffset);
        }

        @Override
        void store(MemorySegment segment, long byteOffset, double value) {
            segment.set(JAVA_INT_UNALIGNED, byteOffset, (int) value);
        }

        @Override
        public double round(double value) {
            return (int) value;
        }
    },
    /** 8-bit signed integers. With scales, they are a storage type of keys and values: {@link Tensor#quantized}. */
    I8(1) {
        @Override
        double load(MemorySegment segment, long byteOffset) {
            return segment.get(JAVA_BYTE, byteOffset);
        }

        @Override
        void store(MemorySegment segment, long byteOffset, double value) {
            segment.set(JAVA_BYTE, byteOffset, (byte) round(value));
        }

        @Override
        public double round(double value) {
            return Math.rint(Math.clamp(Double.isNaN(value) ? 0 : value, -128.0, 127.0)) + 0.0; // no negative zero
        }
    },
    /** One byte per truth value; any non-zero byte is true. */
    BOOL(1) {
        @Override
        double load(MemorySegment segment, long byteOffset) {
            return segment.get(JAVA_BYTE, byteOffset) == 0 ? 0 : 1;
        }

        @Override
        void store(MemorySegment segment, long byteOffset, double value) {
            segment.set(JAVA_BYTE, byteOffset, (byte) round(value));
        }

        @Override
        public double round(double value) {
            return value == 0 ? 0 : 1;
        }
    };

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    abstract double load(MemorySegment segment, long byteOffset);

    abstract void store(MemorySegment segment, long byteOffset, double value);

    /**
     * {@return {@code value} rounded to this type, the result of storing and loading it} Floating-point types and I8 round
     * to nearest, ties to even; I8 also clamps to [-128, 127]. I64 and I32 round towards zero and clamp to their range. I8,
     * I64 and I32 round NaN to 0. BOOL gives 0 for 0 and 1 for any other value.
     */
    public abstract double round(double value);

    /** {@return the size of one element in bytes} */
    public int bytes() {
        return bytes;
    }

    /**
     * {@return whether this is a floating-point type: F64, F32, F16 or BF16; queries and outputs must have one of them}
     */
    public boolean isFloating() {
        return this == F64 || this == F32 || this == F16 || this == BF16;
    }

    /** {@return whether this is a type for positions: I64 or I32} */
    public boolean isInteger() {
        return this == I64 || this == I32;
    }

    /** {@return the type of LSE, weights and scores for inputs of this type: f64 for f64, else f32} */
    public DType accumulator() {
        return this == F64 ? F64 : F32;
    }

    /** {@return the name in case strings and messages: f64, f32, f16, bf16, i64, i32, i8, bool} */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Reads a {@link #label}.
     *
     * @throws InvalidInputException if no type has that label
     */
    public static DType parse(String label) {
        for (DType type : values()) {
            if (type.label().equals(label)) {
                return type;
            }
        }
        String known = Arrays.stream(values()).map(DType::label).collect(Collectors.joining(", "));
        throw new InvalidInputException("Unknown element type", "one of " + known, label, "write f32");
    }
}
