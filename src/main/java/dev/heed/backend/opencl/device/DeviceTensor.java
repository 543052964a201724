package dev.heed.backend.opencl.device;

import dev.heed.opencl.DeviceBuffer;
import dev.heed.tensor.DType;
import java.util.Arrays;

/**
 * A tensor in device memory: a buffer, and the offset, shape and strides of the elements in it.
 *
 * @param buffer the buffer that holds the elements
 * @param type the storage type of the elements
 * @param at the offset of the first element from the start of the buffer, in elements
 * @param shape the sizes of the axes
 * @param strides the distance between neighbours along each axis, in elements
 */
public record DeviceTensor(DeviceBuffer buffer, DType type, long at, long[] shape, long[] strides) {

    /** {@return a tensor whose elements are in row-major order from the start of a buffer} */
    public static DeviceTensor packed(DeviceBuffer buffer, DType type, long... shape) {
        return new DeviceTensor(buffer, type, 0, shape.clone(), rowMajor(shape));
    }

    static long[] rowMajor(long... shape) {
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int axis = shape.length - 1; axis >= 0; axis--) {
            strides[axis] = stride;
            stride *= shape[axis];
        }
        return strides;
    }

    public long size(int axis) {
        return shape[axis];
    }

    public long stride(int axis) {
        return strides[axis];
    }

    /** {@return the number of elements} */
    public long count() {
        long count = 1;
        for (long size : shape) {
            count *= size;
        }
        return count;
    }

    /** {@return whether neighbours along the last axis are neighbours in memory, as kernels require} */
    boolean hasDenseRows() {
        int last = shape.length - 1;
        return shape[last] == 1 || strides[last] == 1;
    }

    /** {@return whether the elements are in row-major order without gaps} */
    public boolean isPacked() {
        long[] dense = rowMajor(shape);
        for (int axis = 0; axis < shape.length; axis++) {
            if (shape[axis] != 1 && strides[axis] != dense[axis]) {
                return false;
            }
        }
        return true;
    }

    /** {@return this tensor, which must be packed, in another shape with as many elements} */
    public DeviceTensor reshape(long... to) {
        if (!isPacked()) {
            throw new IllegalStateException(
                    "a tensor with strides " + Arrays.toString(strides) + " cannot be reshaped");
        }
        return new DeviceTensor(buffer, type, at, to.clone(), rowMajor(to));
    }

    /** {@return this tensor {@code [batch, sequence, heads * headDim]} as {@code [batch, heads, sequence, headDim]}} */
    public DeviceTensor heads(long numHeads) {
        long width = shape[2] / numHeads;
        return new DeviceTensor(buffer, type, at, new long[] {shape[0], numHeads, shape[1], width}, new long[] {
            strides[0], width * strides[2], strides[1], strides[2]
        });
    }

    /** {@return the elements from {@code from} to {@code to} (exclusive) along one axis} */
    public DeviceTensor slice(int axis, long from, long to) {
        long[] sizes = shape.clone();
        sizes[axis] = to - from;
        return new DeviceTensor(buffer, type, at + from * strides[axis], sizes, strides);
    }

    /** {@return the elements at one index of an axis, without that axis} */
    public DeviceTensor select(int axis, long index) {
        return new DeviceTensor(buffer, type, at + index * strides[axis], without(axis, shape), without(axis, strides));
    }

    private static long[] without(int axis, long[] all) {
        long[] others = Arrays.copyOf(all, all.length - 1);
        System.arraycopy(all, axis + 1, others, axis, others.length - axis);
        return others;
    }

    long bytes() {
        return count() * type.bytes();
    }
}
