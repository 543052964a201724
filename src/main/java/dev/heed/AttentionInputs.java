package dev.heed;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The query, key, value and options of one attention, checked against each other. All shape errors are thrown on
 * construction, so their messages are the same for every backend. Immutable and compared by value, except that tensors are
 * compared by identity.
 */
public final class AttentionInputs {
    private final Tensor query;
    private final Tensor key;
    private final Tensor value;
    private final AttentionOptions options;
    private final AttentionProblem problem;
    private final List<@Nullable Tensor> tensors;

    private AttentionInputs(Tensor query, Tensor key, Tensor value, AttentionOptions options) {
        this.query = query;
        this.key = key;
        this.value = value;
        this.options = options;
        this.problem = problemOf(query, key, value, options);
        this.tensors = tensors(query, key, value, options);
        try {
            requireFits(problem.shape(), problem.outputType(), options);
        } catch (InvalidInputException e) {
            throw e.in(problem.toString());
        }
    }

    /**
     * {@return the inputs of one attention}
     *
     * @throws InvalidInputException if the arguments do not fit each other
     */
    public static AttentionInputs of(Tensor query, Tensor key, Tensor value, AttentionOptions options) {
        InputCheck.readable("query", query);
        InputCheck.readable("key", key);
        InputCheck.readable("value", value);
        return new AttentionInputs(query, key, value, options);
    }

    /**
     * {@return the same tensors with other options}
     *
     * @throws InvalidInputException if the options do not fit the tensors
     */
    public AttentionInputs withOptions(AttentionOptions other) {
        return new AttentionInputs(query, key, value, other);
    }

    /** {@return the query, {@code [batch, numHeads, seqLenQ, headDim]}, any strides} */
    public Tensor query() {
        return query;
    }

    /**
     * {@return the key, {@code [batch, numKvHeads, seqLenKv, headDim]}, any strides} Some score functions accept keys with
     * {@code keyHeadDim} elements instead of {@code headDim}.
     */
    public Tensor key() {
        return key;
    }

    /** {@return the value, {@code [batch, numKvHeads, seqLenKv, valueHeadDim]}, any strides} */
    public Tensor value() {
        return value;
    }

    /** {@return the options: rules, optional outputs and backend} */
    public AttentionOptions options() {
        return options;
    }

    /** {@return the problem: shapes, types and options without the data} */
    public AttentionProblem problem() {
        return problem;
    }

    private static AttentionProblem problemOf(Tensor query, Tensor key, Tensor value, AttentionOptions options) {
        InvalidInputException.requirePresent("options", options, "AttentionOptions.DEFAULT");
        AttentionShape shape = AttentionShape.of(query, key, value);
        if (!options.score().pattern().kind().twoWidths()) {
            AttentionShape.requireOneWidth(query, key, value);
        }
        boolean bytes = key.type() == DType.I8 && value.type() == DType.I8;
        if (!bytes && (key.type() != query.type() || value.type() != query.type())) {
            throw new InvalidInputException(
                    "Query, key and value have different types",
                    query.type().label() + " in all three, or i8 in key and value",
                    "query " + query + ", key " + key + ", value " + value,
                    "tensor.to(DType." + query.type() + ")");
        }
        try {
            return AttentionProblem.of(shape, query.type(), key.type(), options);
        } catch (InvalidInputException e) {
            throw e.in(AttentionProblem.of(shape, query.type(), AttentionOptions.DEFAULT)
                    .toString());
        }
    }

    static void requireFits(AttentionShape shape, DType computed, AttentionOptions options) {
        options.score()
                .requireFits(
                        shape.batch(),
                        shape.numHeads(),
                        shape.seqLenQ(),
                        shape.seqLenKv(),
                        shape.headDim(),
                        shape.keyHeadDim());
        InputCheck.broadcastable(
                "bias", options.bias(), shape.batch(), shape.numHeads(), shape.seqLenQ(), shape.seqLenKv());
        InputCheck.floating("alibiSlopes", options.alibiSlopes(), shape.numHeads());
        InputCheck.floating("sink", options.sink(), shape.numHeads());
        options.mask().requireFits(shape.batch(), shape.numHeads(), shape.seqLenQ(), shape.seqLenKv());
        RepresentableNumbers.require(computed, options);
        for (long row : options.rows()) {
            if (row < 0 || row >= shape.seqLenQ()) {
                throw new InvalidInputException(
                        "There is no such query row",
                        "rows from 0 to " + (shape.seqLenQ() - 1),
                        options.rows().toString(),
                        "withRows(" + (shape.seqLenQ() - 1) + ")");
            }
        }
    }

    /** {@return every tensor that is read; null for an absent tensor} */
    public List<@Nullable Tensor> tensors() {
        return tensors;
    }

    private static List<@Nullable Tensor> tensors(Tensor query, Tensor key, Tensor value, AttentionOptions options) {
        List<@Nullable Tensor> tensors = new ArrayList<>(List.of(query, key, value));
        tensors.add(options.bias());
        tensors.add(options.alibiSlopes());
        tensors.add(options.sink());
        tensors.addAll(options.mask().tensors());
        tensors.addAll(options.score().parameters().values());
        return Collections.unmodifiableList(tensors);
    }

    private Values values() {
        return Values.of("query", query, "key", key, "value", value, "options", options, "problem", problem);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof AttentionInputs inputs && values().equals(inputs.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return values().in(AttentionInputs.class);
    }
}
