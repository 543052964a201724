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
 * Checks of the numbers of options that are rounded to f32 in problems that compute in f32: problems of f32, f16 and bf16,
 * unless a partial result is requested in f64. A finite number whose value, or whose square where it is used, would be
 * infinite, and a softcap by which a division would be infinite, is refused. A number near 0 is rounded to f32, to 0 if it is
 * tiny. Numbers of problems that compute in f64 have the same limits in f64. Elements in the memory of a device are not read.
 */
final class RepresentableNumbers {
    private RepresentableNumbers() {}

    private static boolean f64(DType outputType) {
        return outputType.accumulator() == DType.F64;
    }

    private static double largest(DType outputType) {
        return f64(outputType) ? Double.MAX_VALUE : Float.MAX_VALUE;
    }

    /** {@return the largest width of a Gaussian score, whose square is finite} */
    private static double largestWidth(DType outputType) {
        return f64(outputType) ? 0x1p511 : 0x1p63;
    }

    /** Checks the score's factor and the softcap of a problem. */
    static void require(DType outputType, ScorePattern score, @Nullable Double softcap) {
        double least = f64(outputType) ? Double.MIN_NORMAL : Float.MIN_NORMAL;
        if (softcap != null && !(softcap >= least && softcap <= largest(outputType))) {
            throw refused(
                    "softcap",
                    "a softcap from " + least + " to " + largest(outputType),
                    softcap,
                    outputType,
                    softcap < least ? "withSoftcap(30.0)" : "leave the softcap out for none");
        }
        boolean width = score.kind() == ScoreKind.GAUSSIAN;
        double most = width ? largestWidth(outputType) : largest(outputType);
        if (Math.abs(score.number()) > most) {
            throw refused(
                    width ? "width" : "factor of the score " + score,
                    "at most " + most + " in magnitude",
                    score.number(),
                    outputType,
                    "scale query and key instead");
        }
    }

    /** Checks the elements of f64 tensors of the options, and the widths of a Gaussian score in any type. */
    static void require(DType outputType, AttentionOptions options) {
        double most = largest(outputType);
        require("bias", options.bias(), outputType, most);
        require("alibiSlopes", options.alibiSlopes(), outputType, most);
        require("sink", options.sink(), outputType, most);
        boolean width = options.score() instanceof ScoreFunction.Gaussian;
        for (Map.Entry<String, Tensor> parameter : options.score().parameters().entrySet()) {
            require(parameter.getKey(), parameter.getValue(), outputType, width ? largestWidth(outputType) : most);
        }
    }

    private static void require(String name, @Nullable Tensor tensor, DType outputType, double most) {
        if (tensor == null || tensor.device() != null || most >= largest(tensor.type())) {
            return;
        }
        Tensor once = tensor;
        for (int axis = 0; axis < once.rank(); axis++) {
            once = once.stride(axis) == 0 ? once.slice(axis, 0, 1) : once;
        }
        double worst = largestFinite(once);
        if (worst > most) {
            throw refused(
                    name,
                    "elements of at most " + most + " in magnitude, or infinite",
                    worst,
                    outputType,
                    "minus infinity in a bias masks a key");
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

    private static InvalidInputException refused(
            String name, String expected, double got, DType outputType, String hint) {
        String computed = outputType.accumulator().label();
        return new InvalidInputException(
                "The " + name + " does not fit a problem that computes in " + computed,
                expected,
                String.valueOf(got),
                hint + (f64(outputType) ? "" : "; or convert query, key and value with tensor.to(DType.F64)"));
    }
}
