package dev.heed.backend.opencl.device;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A struct argument of a kernel, filled field by field: first longs, then values of the kernel's {@code real} type. */
public final class Arguments {
    private final MemorySegment bytes;
    private final boolean f64;
    private long at; // bytes written so far

    /**
     * Creates an empty struct.
     *
     * @param longs the number of longs
     * @param reals the number of {@code real} values after the longs
     * @param f64 whether {@code real} is double, else float
     */
    public Arguments(int longs, int reals, boolean f64) {
        long size = (long) longs * Long.BYTES + (long) reals * (f64 ? Double.BYTES : Float.BYTES);
        this.bytes = Arena.ofAuto().allocate((size + Long.BYTES - 1) / Long.BYTES * Long.BYTES, Long.BYTES);
        this.f64 = f64;
    }

    public Arguments put(long... values) {
        for (long value : values) {
            bytes.set(JAVA_LONG, at, value);
            at += Long.BYTES;
        }
        return this;
    }

    public Arguments put(boolean... values) {
        for (boolean value : values) {
            put(value ? 1 : 0);
        }
        return this;
    }

    public Arguments real(double value) {
        if (f64) {
            bytes.set(JAVA_DOUBLE, at, value);
            at += Double.BYTES;
        } else {
            bytes.set(JAVA_FLOAT, at, (float) value);
            at += Float.BYTES;
        }
        return this;
    }

    /** {@return the struct; all its fields must have been put} */
    MemorySegment segment() {
        if ((at + Long.BYTES - 1) / Long.BYTES * Long.BYTES != bytes.byteSize()) {
            throw new IllegalStateException("a struct of " + bytes.byteSize() + " bytes was filled up to byte " + at);
        }
        return bytes;
    }
}
