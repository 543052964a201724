package dev.heed.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The scales of a tensor of bytes: the element at a position of its segment counts {@code numbers[position / block]} times.
 *
 * @param numbers f32, one for each block
 * @param block how many neighbours in the segment share a scale
 */
public record ByteScales(MemorySegment numbers, long block) {

    /** {@return the scale of the element at a position} */
    public float of(long position) {
        return numbers.get(ValueLayout.JAVA_FLOAT_UNALIGNED, position / block * Float.BYTES);
    }
}
