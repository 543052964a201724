package dev.heed.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The scales of an i8 tensor: the element at a position of its segment is its byte times {@code numbers[position / block]}.
 *
 * @param numbers the scales, one f32 for each block
 * @param block the number of consecutive elements in the segment that share a scale
 */
public record ByteScales(MemorySegment numbers, long block) {

    /** {@return the scale of the element at a position} */
    public float of(long position) {
        return numbers.get(ValueLayout.JAVA_FLOAT_UNALIGNED, position / block * Float.BYTES);
    }
}
