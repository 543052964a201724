package dev.heed.training;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The elements of an f32 or f64 tensor without gaps, accessed by row-major index. */
final class FlatElements {
    private final MemorySegment segment;
    private final boolean f64;
    private final long offset;
    private final int count;

    FlatElements(String name, Tensor tensor) {
        tensor.requireAccessible(name);
        if (!tensor.isContiguous() || (tensor.type() != DType.F32 && tensor.type() != DType.F64)) {
            throw new InvalidInputException(
                    "Parameters and gradients must be f32 or f64 without gaps",
                    "f32 or f64 without gaps for " + name,
                    tensor.toString(),
                    "layer.copy() has parameters without gaps");
        }
        this.segment = tensor.segment();
        this.f64 = tensor.type() == DType.F64;
        this.offset = tensor.offset();
        this.count = Math.toIntExact(tensor.elementCount());
    }

    int count() {
        return count;
    }

    double get(int i) {
        return f64
                ? segment.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, (offset + i) * 8)
                : segment.get(ValueLayout.JAVA_FLOAT_UNALIGNED, (offset + i) * 4);
    }

    void set(int i, double value) {
        if (f64) {
            segment.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, (offset + i) * 8, value);
        } else {
            segment.set(ValueLayout.JAVA_FLOAT_UNALIGNED, (offset + i) * 4, (float) value);
        }
    }
}
