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

/** A sum of gradients from several backward passes, accumulated in double. */
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

    /** Adds the gradients of all rows. */
    void add(AttentionGradients chunk) {
        add(chunk, true);
    }

    /** Adds the gradients of all rows except the gradient of the value. */
    void addWithoutValue(AttentionGradients chunk) {
        add(chunk, false);
    }

    private void add(AttentionGradients chunk, boolean ofValue) {
        add(query, chunk.query());
        add(key, chunk.key());
        if (ofValue) {
            add(value, chunk.value());
        }
        if (bias != null && chunk.bias() != null) {
            add(bias, chunk.bias());
        }
        addScore(chunk.score(), null);
    }

    /**
     * Adds the gradients of some rows, with the gradient of the value only if {@code ofValue} is set. The gradient of
     * their {@linkplain QueryRows#fullBias full bias} is summed to the shape of the original bias.
     */
    void add(QueryRows rows, AttentionGradients chunk, boolean ofValue) {
        add(rows.of(query), chunk.query());
        add(key, chunk.key());
        if (ofValue) {
            add(value, chunk.value());
        }
        if (bias != null && chunk.bias() != null) {
            reduce(rows.ofBias(bias), chunk.bias());
        }
        addScore(chunk.score(), rows);
    }

    private void addScore(@Nullable ScoreFunction chunk, @Nullable QueryRows rows) {
        if (score == null || chunk == null) {
            return;
        }
        Map<String, Tensor> gradients = chunk.parameters();
        score.parameters().forEach((name, sum) -> {
            Tensor gradient = Objects.requireNonNull(gradients.get(name));
            boolean rowed = score instanceof ScoreFunction.Cosine && sum.size(-1) > 1;
            add(rowed && rows != null ? sum.slice(-1, rows.from(), rows.to()) : sum, gradient);
        });
    }

    void addToQuery(Tensor chunk) {
        add(query, chunk);
    }

    Tensor value() {
        return value;
    }

    /** Adds {@code chunk} to {@code sum}, element-wise. */
    static void add(Tensor sum, Tensor chunk) {
        double[] terms = chunk.toDoubleArray();
        double[] sums = sum.toDoubleArray();
        for (int i = 0; i < terms.length; i++) {
            sums[i] += terms[i];
        }
        sum.copyFrom(Tensor.of(sums, sum.shape()));
    }

    /**
     * Adds a {@code [batch, numHeads, rows, seqLenKv]} gradient to the gradient of a tensor that was broadcast to this
     * shape, summed over the broadcast axes.
     */
    private static void reduce(Tensor sum, Tensor chunk) {
        long[] sizes = chunk.shape();
        long[] whole = new long[4];
        long[] steps = new long[4];
        for (int axis = 0; axis < 4; axis++) {
            int own = axis - 4 + sum.rank();
            whole[axis] = axis - 4 + sizes.length < 0 ? 1 : sizes[axis - 4 + sizes.length];
            steps[axis] = own < 0 || sum.size(own) == 1 ? 0 : sum.stride(own);
        }
        Tensor terms = chunk.expand(whole);
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

    /** {@return the sum, converted to the element types of the inputs} */
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
