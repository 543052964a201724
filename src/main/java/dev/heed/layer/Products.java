package dev.heed.layer;

import dev.heed.Activation;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionResult;
import dev.heed.LinearPlan;
import dev.heed.LinearWeights;
import dev.heed.MultiHeadGradients;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadWeights;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Linear layers and attention as operations on a tape, computed by a backend, each with its backward step. */
final class Products {
    private Products() {}

    static Value linear(Tape tape, Value x, Value weight, @Nullable Value bias, Activation activation) {
        int rows = x.rows();
        weight.require("weight", x.width(), weight.width());
        long[] shape = x.shape();
        shape[shape.length - 1] = weight.width();
        Value y = tape.value(shape);
        var weights = new LinearWeights(weight.tensor(), bias == null ? null : bias.tensor());
        LinearPlan plan = tape.plan(weights.problem(rows, activation));
        Tensor in = x.tensor().reshape(rows, x.width());
        plan.forward(in, weights, y.tensor().reshape(rows, weight.width()));
        tape.back(y, () -> {
            Value dx = tape.value(rows, x.width());
            Value dw = tape.value(weight.shape());
            Value db = bias == null ? null : tape.value(bias.shape());
            plan.backward(
                    in,
                    weights,
                    y.gradient().reshape(rows, weight.width()),
                    dx.tensor(),
                    new LinearWeights(dw.tensor(), db == null ? null : db.tensor()));
            x.gradientElements().add(dx.data());
            weight.gradientElements().add(dw.data());
            if (bias != null && db != null) {
                bias.gradientElements().add(db.data());
            }
        });
        return y;
    }

    /**
     * A value viewed with the four axes of attention, {@code [batch, heads, sequence, width]}; its gradient is viewed
     * in the same way.
     */
    record Viewed(Value value, UnaryOperator<Tensor> view) {
        Tensor tensor() {
            return view.apply(value.tensor());
        }

        /** Views {@code [batch, sequence, width]} as {@code [batch, 1, sequence, width]}. */
        static Viewed oneHead(Value value) {
            return new Viewed(value, x -> x.unsqueeze(1));
        }

        /** Views {@code [batch, width]} as {@code [batch, 1, 1, width]}. */
        static Viewed oneRow(Value value) {
            return new Viewed(value, x -> x.reshape(x.size(0), 1, 1, x.size(1)));
        }

        /** Views {@code [sequence, batch, width]} as {@code [batch, 1, sequence, width]}. */
        static Viewed timeMajor(Value value) {
            return new Viewed(value, x -> x.transpose(0, 1).unsqueeze(1));
        }

        void add(Tensor gradient) {
            Strided.add(value.gradientElements(), view.apply(value.gradient()), gradient);
        }
    }

    /**
     * The output of attention, {@code [batch, numHeads, seqLenQ, valueHeadDim]}, or of multi-head attention,
     * {@code [batch, seqLenQ, embed]}, and the optional outputs that the options request.
     */
    record Attended(Value output, AttentionResult result) {
        /**
         * Returns {@code place} with its output replaced by a value on the tape, which can receive a gradient. The
         * optional outputs keep their tensors.
         */
        static Attended at(Tape tape, AttentionResult place) {
            Value output = tape.value(place.output().shape());
            return new Attended(
                    output,
                    AttentionResult.into(output.tensor())
                            .withLse(place.lse())
                            .withRowStatistics(place.rowMax(), place.rowSum())
                            .withWeights(place.weights())
                            .withRowWeights(place.rowWeights())
                            .withTopK(place.topKWeights(), place.topKIndices())
                            .withScores(place.scores()));
        }
    }

    /** {@return the options with the parameters of the score function replaced by their values on the tape} */
    private static AttentionOptions onTape(Tape tape, AttentionOptions asked) {
        return asked.withScore(
                asked.score().map(parameter -> tape.parameter(parameter).tensor()));
    }

    private static void add(Tape tape, ScoreFunction asked, @Nullable ScoreFunction gradients) {
        if (gradients != null) {
            var parameters = asked.parameters().values().iterator();
            gradients.parameters().values().forEach(part -> add(tape.parameter(parameters.next()), part));
        }
    }

    private static void add(Value value, Tensor gradient) {
        Strided.add(value.gradientElements(), value.gradient(), gradient);
    }

    static Attended attention(Tape tape, Viewed query, Viewed key, Viewed value, AttentionOptions asked) {
        var inputs = AttentionInputs.of(query.tensor(), key.tensor(), value.tensor(), onTape(tape, asked));
        Attended attended = Attended.at(tape, AttentionResult.allocate(inputs.problem(), tape::scratch));
        Value output = attended.output();
        AttentionResult result = attended.result();
        var plan = tape.plan(inputs.problem());
        plan.forward(inputs, result);
        tape.back(output, () -> {
            AttentionGradients gradients = AttentionGradients.allocate(inputs, tape::scratch);
            plan.backward(inputs, result, output.gradient(), null, gradients);
            query.add(gradients.query());
            key.add(gradients.key());
            value.add(gradients.value());
            add(tape, asked.score(), gradients.score());
        });
        return attended;
    }

    /** Computes multi-head attention over {@code [batch, sequence, width]} with the parameters of a layer. */
    static Attended multiHead(
            Tape tape,
            Value query,
            Value key,
            Value value,
            MultiHeadWeights parameters,
            long numHeads,
            long numKvHeads,
            AttentionOptions asked) {
        List<Value> projected = new ArrayList<>();
        MultiHeadWeights weights = MultiHead.map(parameters, (name, parameter) -> {
            projected.add(tape.parameter(parameter));
            return projected.getLast().tensor();
        });
        var inputs = MultiHeadInputs.of(
                query.tensor(), key.tensor(), value.tensor(), weights, numHeads, numKvHeads, onTape(tape, asked));
        Attended attended = Attended.at(tape, AttentionResult.allocate(inputs.problem(), tape::scratch));
        Value output = attended.output();
        AttentionResult result = attended.result();
        var plan = tape.plan(inputs.problem());
        plan.forward(inputs, result);
        tape.back(output, () -> {
            MultiHeadGradients gradients = MultiHeadGradients.allocate(inputs, tape::scratch);
            plan.backward(inputs, output.gradient(), gradients);
            add(query, gradients.query());
            add(key, gradients.key());
            add(value, gradients.value());
            var parameterGradients = projected.iterator();
            MultiHead.map(gradients.weights(), (name, gradient) -> {
                add(parameterGradients.next(), gradient);
                return gradient;
            });
            add(tape, asked.score(), gradients.score());
        });
        return attended;
    }
}
