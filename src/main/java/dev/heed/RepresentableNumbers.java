package dev.heed;

import dev.heed.score.ScoreFunction;
import dev.heed.score.ScoreKind;
import dev.heed.score.ScorePattern;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Checks of the numbers of options that become f32 in problems of f32, f16 and bf16. A finite number whose f32 value is
 * infinite, or whose use in f32 would divide by 0, is refused. A number near 0 is rounded to f32, to 0 if it is tiny.
 */
final class RepresentableNumbers {
    /** The largest width of a Gaussian score, whose square is finite in f32. */
    private static final double MAX_WIDTH = 0x1p63;

    private RepresentableNumbers() {}

    /** Checks the score's factor and the softcap of a problem. */
    static void require(DType type, ScorePattern score, @Nullable Double softcap) {
        if (type == DType.F64) {
            return;
        }
        if (softcap != null && !(softcap >= Float.MIN_NORMAL && softcap <= Float.MAX_VALUE)) {
            throw refused(
                    "softcap",
                    "a softcap from " + Float.MIN_NORMAL + " to " + Float.MAX_VALUE,
                    softcap,
                    type,
                    "leave the softcap out for none, or convert query, key and value with tensor.to(DType.F64)");
        }
        boolean width = score.kind() == ScoreKind.GAUSSIAN;
        double largest = width ? MAX_WIDTH : Float.MAX_VALUE;
        if (Math.abs(score.number()) > largest) {
            throw refused(
                    width ? "width" : "factor of the score " + score,
                    "at most " + largest + " in magnitude",
                    score.number(),
                    type,
                    "convert query, key and value with tensor.to(DType.F64)");
        }
    }

    /** Checks the elements of f64 tensors of the options, and the widths of a Gaussian score in any type. */
    static void require(DType type, AttentionOptions options) {
        if (type == DType.F64) {
            return;
        }
        require("bias", options.bias(), type, Float.MAX_VALUE);
        require("alibiSlopes", options.alibiSlopes(), type, Float.MAX_VALUE);
        require("sink", options.sink(), type, Float.MAX_VALUE);
        boolean width = options.score() instanceof ScoreFunction.Gaussian;
        for (Map.Entry<String, Tensor> parameter : options.score().parameters().entrySet()) {
            require(parameter.getKey(), parameter.getValue(), type, width ? MAX_WIDTH : Float.MAX_VALUE);
        }
    }

    private static void require(String name, @Nullable Tensor tensor, DType type, double largest) {
        boolean unbounded = tensor != null && (tensor.type() == DType.F64 || largest < Float.MAX_VALUE);
        if (tensor == null || !unbounded || tensor.device() != null) {
            return;
        }
        Tensor once = tensor;
        for (int axis = 0; axis < once.rank(); axis++) {
            once = once.stride(axis) == 0 ? once.slice(axis, 0, 1) : once;
        }
        double worst = largestFinite(once);
        if (worst > largest) {
            throw refused(
                    name,
                    "elements of at most " + largest + " in magnitude, or infinite",
                    worst,
                    type,
                    "tensor.to(DType.F32)");
        }
    }

    private static double largestFinite(Tensor tensor) {
        double largest = 0;
        if (tensor.rank() == 0) {
            return Double.isFinite(tensor.get()) ? Math.abs(tensor.get()) : 0;
        }
        for (long i = 0; i < tensor.size(0); i++) {
            double x = tensor.rank() == 1 ? Math.abs(tensor.get(i)) : largestFinite(tensor.select(0, i));
            largest = Double.isFinite(x) ? Math.max(largest, x) : largest;
        }
        return largest;
    }

    private static InvalidInputException refused(String name, String expected, double got, DType type, String hint) {
        return new InvalidInputException(
                "The " + name + " does not fit the f32 arithmetic of " + type.label() + " problems",
                expected,
                String.valueOf(got),
                hint);
    }
}
