package dev.heed.mechanism;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The sum of gradients that came in parts, kept in double until all are there. */
final class GradientSum {
    private final AttentionInputs inputs;
    private final Tensor query;
    private final Tensor key;
    private final Tensor value;
    private final @Nullable Tensor bias;
    private final @Nullable ScoreFunction score;

    GradientSum(AttentionInputs inputs) {
        this.inputs = inputs;
        AttentionOptions options = inputs.options();
        this.query = zeros(inputs.query());
        this.key = zeros(inputs.key());
        this.value = zeros(inputs.value());
        Tensor added = options.bias();
        this.bias = added == null ? null : zeros(added);
        this.score =
                options.score().parameters().isEmpty() ? null : options.score().map(GradientSum::zeros);
    }

    private static Tensor zeros(Tensor like) {
        return Tensor.zeros(DType.F64, like.shape());
    }

    /** Adds the gradients of the whole attention. */
    void add(AttentionGradients part) {
        add(part, true);
    }

    /** Adds the gradients of the whole attention but that of the value. */
    void addWithoutValue(AttentionGradients part) {
        add(part, false);
    }

    private void add(AttentionGradients part, boolean ofValue) {
        add(query, part.query());
        add(key, part.key());
        if (ofValue) {
            add(value, part.value());
        }
        if (bias != null && part.bias() != null) {
            add(bias, part.bias());
        }
        addScore(part.score(), null);
    }

    /** Adds the gradients of some rows; what the rows' bias was made of is told apart from the bias itself. */
    void add(QueryRows rows, AttentionGradients part, boolean ofValue) {
        add(rows.of(query), part.query());
        add(key, part.key());
        if (ofValue) {
            add(value, part.value());
        }
        if (bias != null && part.bias() != null) {
            reduce(rows.ofBias(bias), part.bias());
        }
        addScore(part.score(), rows);
    }

    private void addScore(@Nullable ScoreFunction part, @Nullable QueryRows rows) {
        if (score == null || part == null) {
            return;
        }
        Map<String, Tensor> gradients = part.parameters();
        score.parameters().forEach((name, sum) -> {
            Tensor gradient = Objects.requireNonNull(gradients.get(name));
            boolean rowed = score instanceof ScoreFunction.Cosine && sum.size(-1) > 1;
            add(rowed && rows != null ? sum.slice(-1, rows.from(), rows.to()) : sum, gradient);
        });
    }

    void addToQuery(Tensor part) {
        add(query, part);
    }

    Tensor value() {
        return value;
    }

    /** Adds element by element. */
    static void add(Tensor sum, Tensor part) {
        double[] terms = part.toDoubleArray();
        double[] sums = sum.toDoubleArray();
        for (int i = 0; i < terms.length; i++) {
            sums[i] += terms[i];
        }
        sum.copyFrom(Tensor.of(sums, sum.shape()));
    }

    /** Adds a {@code [batch, numHeads, rows, seqLenKv]} gradient to a tensor that was broadcast to it. */
    private static void reduce(Tensor sum, Tensor part) {
        long[] sizes = part.shape();
        long[] whole = new long[4];
        long[] steps = new long[4];
        for (int axis = 0; axis < 4; axis++) {
            int own = axis - 4 + sum.rank();
            whole[axis] = axis - 4 + sizes.length < 0 ? 1 : sizes[axis - 4 + sizes.length];
            steps[axis] = own < 0 || sum.size(own) == 1 ? 0 : sum.stride(own);
        }
        Tensor terms = part.expand(whole);
        for (long b = 0; b < whole[0]; b++) {
            for (long h = 0; h < whole[1]; h++) {
                for (long i = 0; i < whole[2]; i++) {
                    for (long j = 0; j < whole[3]; j++) {
                        long at = sum.offset() + b * steps[0] + h * steps[1] + i * steps[2] + j * steps[3];
                        sum.put(at, sum.at(at) + terms.get(b, h, i, j));
                    }
                }
            }
        }
    }

    /** {@return the sum, with the types of the inputs} */
    AttentionGradients total() {
        AttentionGradients total = AttentionGradients.allocate(inputs);
        total.query().copyFrom(query);
        total.key().copyFrom(key);
        total.value().copyFrom(value);
        if (bias != null && total.bias() != null) {
            total.bias().copyFrom(bias);
        }
        if (score != null && total.score() != null) {
            Map<String, Tensor> places = total.score().parameters();
            score.parameters()
                    .forEach((name, sum) ->
                            Objects.requireNonNull(places.get(name)).copyFrom(sum));
        }
        return total;
    }
}
