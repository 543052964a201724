package dev.heed.mechanism;

import dev.heed.AttentionEngine;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.mask.CausalAlignment;
import dev.heed.mask.Mask;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Objects;

/**
 * Local attention: each query attends only to keys near a position that is predicted from the query. This is local-p of
 * Luong et al. 2015, equations 9 and 10. Key positions are numbered from 0.
 *
 * <pre>
 * p_t = S sigmoid(v.tanh(s_t W))        a_t(j) = softmax over the window of score(s_t, h_j), times exp(-(j - p_t)^2 / (2 sigma^2))
 * </pre>
 *
 * <p>Here {@code s_t} is the query and {@code h_j} a key. The window is {@code p_t - D <= j <= p_t + D}, cut at the
 * ends of the sequence; {@code sigma = D / 2}. {@code S} is the number of keys, or the key length of the batch entry if
 * the mask has key lengths. The weights are not normalised again after the Gaussian, so the weights of a row may sum to
 * less than 1. Local-m uses the index of the query as the position, so it needs only a {@linkplain #aligned mask}.
 * Global attention has no window and is ordinary attention.
 *
 * <p>The output is computed by attention with the logarithm of the Gaussian added to the bias, and multiplied by
 * {@code exp(LSE with the Gaussian - LSE without it)}. The bias is stored for one chunk of rows at a time, and tiles
 * outside of the windows are skipped. The gradient treats the edges of the windows as constants. A fully masked row has
 * output 0.
 */
public final class LocalAttention {
    private final PositionPredictor predictor;
    private final long window;
    private final AttentionEngine engine;

    private LocalAttention(PositionPredictor predictor, long window, AttentionEngine engine) {
        this.predictor = predictor;
        this.window = window;
        this.engine = InvalidInputException.requirePresent("engine", engine, "AttentionEngine.AUTOMATIC");
    }

    /**
     * Creates the mechanism.
     *
     * @param weight {@code W}, {@code [headDim, hidden]} or {@code [numHeads, headDim, hidden]}
     * @param vector {@code v}, {@code [hidden]} or {@code [numHeads, hidden]}
     * @param window {@code D}, the maximum distance of an attended key from the position, 1 or more
     */
    public LocalAttention(Tensor weight, Tensor vector, long window) {
        this(new PositionPredictor(weight, vector), requireWidth(window), AttentionEngine.AUTOMATIC);
    }

    /** {@return this mechanism, computed by the given engine} */
    public LocalAttention on(AttentionEngine engine) {
        return new LocalAttention(predictor, window, engine);
    }

    /**
     * {@return the mask of local-m, in which a query attends to the key of its own index and to {@code window} keys on
     * each side}
     *
     * @throws InvalidInputException if the window is below 1, or not smaller than {@code seqLenKv}
     */
    public static Mask aligned(long window, long seqLenKv) {
        requireInside(requireWidth(window), seqLenKv);
        return new Mask.Window(window, window, CausalAlignment.TOP_LEFT);
    }

    private static long requireWidth(long window) {
        if (window < 1) {
            throw new InvalidInputException(
                    "The window must cover at least one key on each side",
                    "window >= 1",
                    String.valueOf(window),
                    "the standard deviation is half the window");
        }
        return window;
    }

    private static void requireInside(long window, long seqLenKv) {
        if (window >= seqLenKv) {
            throw new InvalidInputException(
                    "The window is not smaller than the sequence",
                    "a window below " + seqLenKv + ", the number of keys",
                    String.valueOf(window),
                    "use plain attention, which is global");
        }
    }

    /**
     * The results of {@link LocalAttention#forward}.
     *
     * @param output {@code [batch, numHeads, seqLenQ, valueHeadDim]}
     * @param positions {@code p}, f64 {@code [batch, numHeads, seqLenQ]}
     * @param mass the sum of the weights of each row, f64 {@code [batch, numHeads, seqLenQ]}
     */
    public record Local(Tensor output, Tensor positions, Tensor mass) {}

    /**
     * The gradients of a loss with respect to the inputs and the parameters.
     *
     * @param attention gradients of query, key, value, bias and score function; the gradient of the query includes the
     *     path through the position
     * @param weight gradient of {@code W}
     * @param vector gradient of {@code v}
     */
    public record Gradients(AttentionGradients attention, Tensor weight, Tensor vector) {}

    /**
     * {@return the output, the predicted positions and the sums of the weights}
     *
     * @throws InvalidInputException if the window is not smaller than the number of keys, a parameter does not fit, or
     *     the options have a sink or dropout, or request optional outputs other than the LSE
     */
    public Local forward(AttentionInputs inputs) {
        Windows windows = windows(inputs);
        AttentionShape s = inputs.problem().shape();
        AttentionResult plain = engine.forward(windows.plain);
        Tensor output = Tensor.zeros(inputs.query().type(), s.batch(), s.numHeads(), s.seqLenQ(), s.valueHeadDim());
        Tensor mass = Tensor.zeros(DType.F64, s.batch(), s.numHeads(), s.seqLenQ());
        for (QueryRows rows : QueryRows.chunks(windows.whole)) {
            AttentionResult near = engine.forward(windows.biased(rows));
            Tensor share = share(rows, near, plain);
            rows.of(mass).copyFrom(share);
            rows.of(output).copyFrom(scaled(near.output(), share));
        }
        return new Local(output, windows.positions, mass);
    }

    /**
     * {@return the gradients of a loss with respect to the inputs and the parameters}
     *
     * @param outputGradient the gradient with respect to the output
     */
    public Gradients backward(AttentionInputs inputs, Tensor outputGradient) {
        Windows windows = windows(inputs);
        AttentionShape s = inputs.problem().shape();
        AttentionResult plain = engine.forward(windows.plain);
        DType type = Objects.requireNonNull(plain.lse()).type();
        Tensor fromPlain = Tensor.zeros(type, s.batch(), s.numHeads(), s.seqLenQ());
        Tensor ofPositions = Tensor.zeros(DType.F64, s.batch(), s.numHeads(), s.seqLenQ());
        var sum = new GradientSum(inputs);
        for (QueryRows rows : QueryRows.chunks(windows.whole)) {
            AttentionInputs biased = windows.biased(rows);
            AttentionResult near = engine.forward(biased);
            Tensor share = share(rows, near, plain);
            Tensor up = rows.of(outputGradient);
            Tensor lseGradient = rows.of(fromPlain);
            for (long b = 0; b < s.batch(); b++) {
                for (long h = 0; h < s.numHeads(); h++) {
                    for (long i = 0; i < rows.count(); i++) {
                        double inner = 0;
                        for (long d = 0; d < s.valueHeadDim(); d++) {
                            inner += up.get(b, h, i, d) * near.output().get(b, h, i, d);
                        }
                        lseGradient.set(share.get(b, h, i) == 0 ? 0 : -inner * share.get(b, h, i), b, h, i);
                    }
                }
            }
            AttentionGradients chunk = engine.backward(biased, near, scaled(up, share), negated(lseGradient));
            sum.add(rows, chunk, true);
            windows.addPositions(rows, Objects.requireNonNull(chunk.bias()), rows.of(ofPositions));
        }
        Tensor nothing = Tensor.zeros(plain.output().type(), plain.output().shape());
        sum.addWithoutValue(engine.backward(windows.plain, plain, nothing, fromPlain));
        PositionPredictor.Gradients predicted = predictor.backward(inputs.query(), windows.lengths, ofPositions);
        sum.addToQuery(predicted.query());
        return new Gradients(sum.total(), predicted.weight(), predicted.vector());
    }

    /** Returns the sum of the weights of each row after multiplication by the Gaussian. */
    private static Tensor share(QueryRows rows, AttentionResult near, AttentionResult plain) {
        RowStatistics with = RowStatistics.of(near);
        RowStatistics whole = RowStatistics.of(plain);
        var without = new RowStatistics(rows.of(whole.maxima()), rows.of(whole.sums()));
        Tensor share = Tensor.zeros(DType.F64, with.sums().shape());
        for (long b = 0; b < share.size(0); b++) {
            for (long h = 0; h < share.size(1); h++) {
                for (long i = 0; i < share.size(2); i++) {
                    share.set(without.isEmpty(b, h, i) ? 0 : Math.exp(with.lseMinus(without, b, h, i)), b, h, i);
                }
            }
        }
        return share;
    }

    private static Tensor scaled(Tensor numbers, Tensor factors) {
        Tensor scaled = Tensor.zeros(numbers.type(), numbers.shape());
        for (long b = 0; b < numbers.size(0); b++) {
            for (long h = 0; h < numbers.size(1); h++) {
                for (long i = 0; i < numbers.size(2); i++) {
                    double factor = factors.get(b, h, i);
                    for (long d = 0; d < numbers.size(3); d++) {
                        scaled.set(factor * numbers.get(b, h, i, d), b, h, i, d);
                    }
                }
            }
        }
        return scaled;
    }

    private static Tensor negated(Tensor numbers) {
        double[] negated = numbers.toDoubleArray();
        for (int n = 0; n < negated.length; n++) {
            negated[n] = -negated[n];
        }
        return Tensor.of(negated, numbers.shape()).to(numbers.type());
    }

    private Windows windows(AttentionInputs inputs) {
        QueryRows.requirePlain("local attention", inputs);
        AttentionShape s = inputs.problem().shape();
        requireInside(window, s.seqLenKv());
        return new Windows(inputs, predictor, window);
    }

    /** The windows of one call, and the inputs of the attention over them. */
    private static final class Windows {
        final long[] lengths;
        final Tensor positions;
        final AttentionInputs whole;
        final AttentionInputs plain;
        private final Tensor spans;
        private final double variance;

        Windows(AttentionInputs inputs, PositionPredictor predictor, long window) {
            AttentionShape s = inputs.problem().shape();
            this.variance = window * window / 4.0;
            this.lengths = lengths(inputs);
            this.positions = predictor.positions(inputs.query(), lengths);
            this.spans = Tensor.zeros(DType.I64, s.batch(), s.numHeads(), s.seqLenQ(), 2);
            for (long b = 0; b < s.batch(); b++) {
                for (long h = 0; h < s.numHeads(); h++) {
                    for (long i = 0; i < s.seqLenQ(); i++) {
                        double p = positions.get(b, h, i);
                        spans.set(Math.max(0, Math.ceil(p - window)), b, h, i, 0);
                        spans.set(Math.min(lengths[(int) b], Math.floor(p + window) + 1), b, h, i, 1);
                    }
                }
            }
            AttentionOptions inside = inputs.options()
                    .withMask(inputs.options().mask().and(Mask.spans(spans)))
                    .withLse();
            this.whole = AttentionInputs.of(inputs.query(), inputs.key(), inputs.value(), inside);
            this.plain = QueryRows.withoutValues(whole);
        }

        private static long[] lengths(AttentionInputs inputs) {
            AttentionShape s = inputs.problem().shape();
            long[] lengths = new long[Math.toIntExact(s.batch())];
            for (int b = 0; b < lengths.length; b++) {
                lengths[b] = length(inputs.options().mask(), b, s.seqLenKv());
            }
            return lengths;
        }

        private static long length(Mask mask, int batch, long seqLenKv) {
            return switch (mask) {
                case Mask.KeyLengths lengths -> lengths.lengths().get(batch);
                case Mask.And and ->
                    and.masks().stream()
                            .mapToLong(chunk -> length(chunk, batch, seqLenKv))
                            .min()
                            .orElse(seqLenKv);
                default -> seqLenKv;
            };
        }

        /**
         * Returns the inputs of the attention of some rows. Inside of the windows, the logarithm of the Gaussian is
         * added to the bias.
         */
        AttentionInputs biased(QueryRows rows) {
            Tensor bias = rows.fullBias();
            visit(
                    rows,
                    (b, h, i, j, distance) ->
                            bias.set(bias.get(b, h, i, j) - distance * distance / (2 * variance), b, h, i, j));
            return rows.with(rows.options().withBias(bias));
        }

        /** Adds the contribution of the bias gradient to the gradients of the positions. */
        void addPositions(QueryRows rows, Tensor ofBias, Tensor sum) {
            visit(
                    rows,
                    (b, h, i, j, distance) ->
                            sum.set(sum.get(b, h, i) + ofBias.get(b, h, i, j) * distance / variance, b, h, i));
        }

        private interface Visitor {
            void visit(long batch, long head, long row, long key, double distance);
        }

        private void visit(QueryRows rows, Visitor visitor) {
            for (long b = 0; b < spans.size(0); b++) {
                for (long h = 0; h < spans.size(1); h++) {
                    for (long i = rows.from(); i < rows.to(); i++) {
                        double p = positions.get(b, h, i);
                        long end = (long) spans.get(b, h, i, 1);
                        for (long j = (long) spans.get(b, h, i, 0); j < end; j++) {
                            visitor.visit(b, h, i - rows.from(), j, j - p);
                        }
                    }
                }
            }
        }
    }
}
