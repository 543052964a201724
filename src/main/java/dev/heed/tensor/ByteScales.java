package dev.heed.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The scales of an i8 tensor: an element is its byte times {@code numbers[position / block]}, where {@code position} is the
 * index of the byte in the tensor's segment.
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
