package dev.heed.backend.opencl;

import dev.heed.AttentionProblem;
import dev.heed.AttentionShape;
import dev.heed.MultiHeadProblem;
import dev.heed.Problem;
import dev.heed.opencl.Device;
import dev.heed.score.ScoreKind;
import dev.heed.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The reasons why a device does not support a problem, if any. They do not depend on free memory. */
final class NotSupported {
    private static final long LONGEST = 1L << 30;

    private NotSupported() {}

    static List<String> reasons(Device device, Problem problem) {
        List<String> reasons = new ArrayList<>();
        if (typeOf(problem) == DType.F64 && !device.limits().fp64()) {
            reasons.add("type f64, which " + device.name() + " does not compute (supported: f32, f16, bf16)");
        }
        AttentionProblem attention = attentionOf(problem);
        if (attention == null) {
            return reasons;
        }
        if (attention.kvType() == DType.I8) {
            reasons.add("keys and values of i8 (supported: f32, f64, f16, bf16; the CPU backends support them)");
        }
        if (attention.score().kind() == ScoreKind.CUSTOM) {
            reasons.add("score=custom, a function in Java (supported: every other score; the CPU backends support it)");
        }
        AttentionShape shape = attention.shape();
        if (Math.max(shape.seqLenQ(), shape.seqLenKv()) > LONGEST) {
            reasons.add("a sequence length of " + Math.max(shape.seqLenQ(), shape.seqLenKv()) + " > " + LONGEST);
        }
        return reasons;
    }

    private static DType typeOf(Problem problem) {
        return problem instanceof AttentionProblem p ? p.outputType() : problem.type();
    }

    private static @Nullable AttentionProblem attentionOf(Problem problem) {
        return switch (problem) {
            case AttentionProblem p -> p;
            case MultiHeadProblem p -> p.attention();
            default -> null;
        };
    }
}
