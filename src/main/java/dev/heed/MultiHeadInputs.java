package dev.heed;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The inputs, parameters and options of one multi-head attention, checked against each other. Self-attention passes the
 * same tensor as query, key and value; cross-attention passes the encoder's output as key and value. Immutable and compared
 * by value, except that tensors are compared by identity.
 */
public final class MultiHeadInputs {
    private final Tensor query;
    private final Tensor key;
    private final Tensor value;
    private final MultiHeadWeights weights;
    private final AttentionOptions options;
    private final MultiHeadProblem problem;

    private MultiHeadInputs(
            Tensor query,
            Tensor key,
            Tensor value,
            MultiHeadWeights weights,
            AttentionOptions options,
            MultiHeadProblem problem) {
        try {
            requireFits(query, key, value, weights, options, problem);
        } catch (InvalidInputException e) {
            throw e.in(problem.toString());
        }
        this.query = query;
        this.key = key;
        this.value = value;
        this.weights = weights;
        this.options = options;
        this.problem = problem;
    }

    /**
     * {@return the inputs of one multi-head attention}
     *
     * @param numHeads query heads
     * @param numKvHeads key/value heads, a divisor of {@code numHeads}
     * @throws InvalidInputException if the arguments do not fit each other
     */
    public static MultiHeadInputs of(
            Tensor query,
            Tensor key,
            Tensor value,
            MultiHeadWeights weights,
            long numHeads,
            long numKvHeads,
            AttentionOptions options) {
        for (Tensor x : List.of(query, key, value)) {
            InputCheck.readable("input", x);
            if (x.rank() != 3) {
                throw new InvalidInputException(
                        "An input of multi-head attention does not have three axes",
                        "query, key and value [batch, sequence, width]",
                        "query " + query + ", key " + key + ", value " + value,
                        "unsqueeze(0) adds a batch of 1");
            }
        }
        for (Tensor w : List.of(weights.query(), weights.key(), weights.value(), weights.output())) {
            if (w.rank() != 2) {
                throw new InvalidInputException(
                        "The weights of a projection must be a matrix", "[in, out]", w.toString(), "reshape(in, out)");
            }
        }
        long headDim = perHead("query weights", weights.query(), numHeads);
        var shape = new AttentionShape(
                query.size(0),
                numHeads,
                numKvHeads,
                query.size(1),
                key.size(1),
                headDim,
                perHead("value weights", weights.value(), numKvHeads));
        MultiHeadProblem problem;
        try {
            problem = problemOf(query, key, value, weights, shape, options);
        } catch (InvalidInputException e) {
            throw e.in(problemOf(query, key, value, weights, shape, AttentionOptions.DEFAULT)
                    .toString());
        }
        return new MultiHeadInputs(query, key, value, weights, options, problem);
    }

    private static MultiHeadProblem problemOf(
            Tensor query,
            Tensor key,
            Tensor value,
            MultiHeadWeights w,
            AttentionShape shape,
            AttentionOptions options) {
        return MultiHeadProblem.of(
                        query.size(2),
                        key.size(2),
                        value.size(2),
                        w.output().size(1),
                        AttentionProblem.of(shape, query.type(), options))
                .withBiases(w.queryBias() != null, w.keyBias() != null, w.valueBias() != null, w.outputBias() != null);
    }

    private static long perHead(String name, Tensor matrix, long heads) {
        if (heads < 1 || matrix.size(1) % heads != 0) {
            throw new InvalidInputException(
                    "The heads do not divide the columns of the " + name,
                    "a divisor of " + matrix.size(1) + " as the number of heads",
                    heads + " heads, " + matrix,
                    "the columns are numHeads * headDim");
        }
        return matrix.size(1) / heads;
    }

    /** {@return the query input, {@code [batch, seqLenQ, embedQ]}, any strides} */
    public Tensor query() {
        return query;
    }

    /** {@return the key input, {@code [batch, seqLenKv, embedK]}, any strides} */
    public Tensor key() {
        return key;
    }

    /** {@return the value input, {@code [batch, seqLenKv, embedV]}, any strides} */
    public Tensor value() {
        return value;
    }

    /** {@return the parameters, of the same type as the inputs} */
    public MultiHeadWeights weights() {
        return weights;
    }

    /**
     * {@return the options of the inner attention, the attention between the projections: rules, optional outputs and
     * backend}
     */
    public AttentionOptions options() {
        return options;
    }

    /** {@return the problem: shapes, types and options without the data} */
    public MultiHeadProblem problem() {
        return problem;
    }

    private static void requireFits(
            Tensor query,
            Tensor key,
            Tensor value,
            MultiHeadWeights w,
            AttentionOptions options,
            MultiHeadProblem problem) {
        AttentionShape s = problem.attention().shape();
        DType type = problem.attention().type();
        long qWidth = s.numHeads() * s.headDim();
        long kWidth = s.numKvHeads() * s.headDim();
        long vWidth = s.numKvHeads() * s.valueHeadDim();
        InputCheck.input("query", query, type, s.batch(), s.seqLenQ(), problem.embedQ());
        InputCheck.input("key", key, type, s.batch(), s.seqLenKv(), problem.embedK());
        InputCheck.input("value", value, type, s.batch(), s.seqLenKv(), problem.embedV());
        InputCheck.input("query weights", w.query(), type, problem.embedQ(), qWidth);
        InputCheck.input("key weights", w.key(), type, problem.embedK(), kWidth);
        InputCheck.input("value weights", w.value(), type, problem.embedV(), vWidth);
        InputCheck.input("output weights", w.output(), type, s.numHeads() * s.valueHeadDim(), problem.embedOut());
        bias("query bias", w.queryBias(), type, qWidth);
        bias("key bias", w.keyBias(), type, kWidth);
        bias("value bias", w.valueBias(), type, vWidth);
        bias("output bias", w.outputBias(), type, problem.embedOut());
        AttentionInputs.requireFits(s, type, options);
    }

    private static void bias(String name, @Nullable Tensor bias, DType type, long width) {
        if (bias != null) {
            InputCheck.input(name, bias, type, width);
        }
    }

    /** {@return every tensor that is read; null for an absent tensor} */
    public List<@Nullable Tensor> tensors() {
        List<@Nullable Tensor> tensors = new ArrayList<>(List.of(query, key, value));
        tensors.addAll(weights.tensors());
        tensors.add(options.bias());
        tensors.add(options.alibiSlopes());
        tensors.add(options.sink());
        tensors.addAll(options.mask().tensors());
        tensors.addAll(options.score().parameters().values());
        return tensors;
    }

    private Values values() {
        return Values.of(
                "query", query, "key", key, "value", value, "weights", weights, "options", options, "problem", problem);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof MultiHeadInputs inputs && values().equals(inputs.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return values().in(MultiHeadInputs.class);
    }
}
