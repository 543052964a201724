package dev.heed.bench;

import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionProblem;
import dev.heed.AttentionShape;
import dev.heed.LinearProblem;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadProblem;
import dev.heed.MultiHeadWeights;
import dev.heed.Problem;
import dev.heed.RotaryProblem;
import dev.heed.SoftmaxProblem;
import dev.heed.mask.Mask;
import dev.heed.score.ScoreFunction;
import dev.heed.score.ScorePattern;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import dev.heed.verify.Case;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A computation and its input data; the data are the same for every contestant and in every process. */
sealed interface Workload {
    /** A window that ends with the query. */
    Pattern WINDOW = Pattern.compile("window:(\\d+),0:br");

    /** Attention; if a gradient of the output is present, the backward pass is timed. */
    record Attend(AttentionInputs inputs, @Nullable Tensor outputGradient) implements Workload {
        AttentionShape shape() {
            return inputs.problem().shape();
        }

        boolean causal() {
            return Workload.causal(inputs.problem());
        }

        /** {@return the keys of a window that ends with the query, or 0 without a window} */
        long window() {
            return inputs.options().mask() instanceof Mask.Window window ? window.left() + 1 : 0;
        }

        /** {@return the part of the keys that one query attends to} */
        double attendedShare() {
            return window() == 0 ? 1 : (double) window() / shape().seqLenKv();
        }

        @Override
        public AttentionProblem problem() {
            return inputs.problem();
        }
    }

    /** Softmax along the last axis. */
    record Soften(SoftmaxProblem problem, Tensor input) implements Workload {}

    /** Multi-head attention with its projections. */
    record MultiHead(MultiHeadInputs inputs) implements Workload {
        @Override
        public MultiHeadProblem problem() {
            return inputs.problem();
        }
    }

    Problem problem();

    /**
     * {@return the workload of a case string, with the word {@code backward} for the backward pass}
     *
     * @throws InvalidInputException if the text is not a case string, or is not one of the workloads that peers compute
     */
    static Workload parse(String text) {
        Case recipe = Case.parse(text);
        var random = new SplittableRandom(recipe.seed());
        return switch (recipe.problem()) {
            case AttentionProblem p -> {
                AttentionShape s = p.shape();
                DType stored = p.kvType();
                var inputs = AttentionInputs.of(
                        as(p.type(), uniform(random, s.batch(), s.numHeads(), s.seqLenQ(), s.headDim())),
                        as(stored, uniform(random, s.batch(), s.numKvHeads(), s.seqLenKv(), s.headDim())),
                        as(stored, uniform(random, s.batch(), s.numKvHeads(), s.seqLenKv(), s.valueHeadDim())),
                        options(p, random, text));
                yield new Attend(
                        inputs,
                        recipe.backward()
                                ? uniform(random, s.batch(), s.numHeads(), s.seqLenQ(), s.valueHeadDim())
                                : null);
            }
            case SoftmaxProblem p -> new Soften(p, uniform(random, p.sizes()));
            case MultiHeadProblem p -> new MultiHead(multiHead(p, random, text));
            case LinearProblem p -> throw unknown(text);
            case RotaryProblem p -> throw unknown(text);
        };
    }

    private static AttentionOptions options(AttentionProblem p, SplittableRandom random, String text) {
        AttentionOptions options = causal(p) ? AttentionOptions.DEFAULT.causal() : AttentionOptions.DEFAULT;
        Matcher window = WINDOW.matcher(p.maskPattern());
        if (window.matches()) {
            options = options.withMask(Mask.windowOfLength(Long.parseLong(window.group(1)) + 1));
        }
        options = options.withScore(score(p, random, text));
        if (!AttentionProblem.of(p.shape(), p.type(), p.kvType(), options).equals(p)) {
            throw unknown(text);
        }
        return options;
    }

    /**
     * {@return a score function whose parameters all heads share, with scores about as large as scaled dot products}
     */
    private static ScoreFunction score(AttentionProblem p, SplittableRandom random, String text) {
        ScorePattern score = p.score();
        long width = p.shape().headDim();
        return switch (score.kind()) {
            case DOT -> ScoreFunction.dot();
            case SCALED_DOT -> ScoreFunction.scaledDot();
            case COSINE -> ScoreFunction.cosine(score.number());
            case GENERAL -> ScoreFunction.general(centred(random, 1.0 / width, width, width));
            case LOCATION -> ScoreFunction.location(centred(random, Math.sqrt(1.0 / width), width, score.sizes()[0]));
            case GAUSSIAN -> ScoreFunction.gaussian(score.number());
            case ADDITIVE -> {
                if (score.has("plain")) {
                    yield ScoreFunction.additive(centred(random, Math.sqrt(1.0 / width), width));
                }
                long hidden = score.sizes()[0];
                yield ScoreFunction.additive(
                        centred(random, Math.sqrt(1.0 / width), width, hidden),
                        centred(random, Math.sqrt(1.0 / width), width, hidden),
                        centred(random, Math.sqrt(1.0 / hidden), hidden));
            }
            case CONCAT, CUSTOM -> throw unknown(text);
        };
    }

    /**
     * {@return uniform random numbers of mean 0 and the given standard deviation as a constant tensor, like the weights
     * of a trained model}
     */
    private static Tensor centred(SplittableRandom random, double deviation, long... shape) {
        long count = 1;
        for (long size : shape) {
            count *= size;
        }
        float[] values = uniform(random, count, deviation);
        for (int i = 0; i < values.length; i++) {
            values[i] -= (float) (Math.sqrt(3) * deviation);
        }
        return Tensor.of(values, shape).asConstant();
    }

    private static MultiHeadInputs multiHead(MultiHeadProblem p, SplittableRandom random, String text) {
        AttentionShape s = p.attention().shape();
        boolean self = s.seqLenQ() == s.seqLenKv() && p.embedQ() == p.embedK() && p.embedQ() == p.embedV();
        boolean biased = p.queryBias() && p.keyBias() && p.valueBias() && p.outputBias();
        if (!self || !biased || s.numHeads() != s.numKvHeads()) {
            throw unknown(text);
        }
        DType type = p.attention().type();
        Tensor x = as(type, uniform(random, s.batch(), s.seqLenQ(), p.embedQ()));
        long q = s.numHeads() * s.headDim();
        long v = s.numHeads() * s.valueHeadDim();
        var weights = MultiHeadWeights.of(
                        as(type, matrix(random, p.embedQ(), q)),
                        as(type, matrix(random, p.embedQ(), q)),
                        as(type, matrix(random, p.embedQ(), v)),
                        as(type, matrix(random, v, p.embedOut())))
                .withBiases(
                        as(type, uniform(random, q)),
                        as(type, uniform(random, q)),
                        as(type, uniform(random, v)),
                        as(type, uniform(random, p.embedOut())));
        return MultiHeadInputs.of(
                x, x, x, weights.asConstant(), s.numHeads(), s.numKvHeads(), options(p.attention(), random, text));
    }

    private static Tensor as(DType type, Tensor tensor) {
        return type == DType.I8 ? tensor.quantized() : type == DType.F32 ? tensor : tensor.to(type);
    }

    private static Tensor matrix(SplittableRandom random, long in, long out) {
        float[] values = uniform(random, in * out, Math.sqrt(1.0 / in));
        return Tensor.of(values, in, out);
    }

    /**
     * {@return uniform random numbers from 0 to {@code 2 sqrt(3)}, of variance 1, which are faster to draw than normal
     * ones}
     */
    private static Tensor uniform(SplittableRandom random, long... shape) {
        long count = 1;
        for (long size : shape) {
            count *= size;
        }
        return Tensor.of(uniform(random, count, 1), shape);
    }

    private static float[] uniform(SplittableRandom random, long count, double deviation) {
        float[] values = new float[Math.toIntExact(count)];
        float width = (float) (2 * Math.sqrt(3) * deviation);
        for (int i = 0; i < values.length; i++) {
            values[i] = (random.nextInt() >> 8) * 0x1p-24f * width;
        }
        return values;
    }

    private static InvalidInputException unknown(String text) {
        return new InvalidInputException(
                "Only Heed computes this",
                "f32 or bf16 attention with or without mask=causal:br or a window before the query, and with a score function shared by all heads, softmax, or biased self-attention mha",
                text,
                "heed run times any case");
    }

    private static boolean causal(AttentionProblem problem) {
        return problem.maskPattern().equals("causal:br");
    }

    /**
     * {@return the floating-point operations: half of the operations of attention under a causal mask, 2.5 times as
     * many for the backward pass}
     */
    default double flops() {
        return switch (this) {
            case Attend a ->
                problem().flops() * a.attendedShare() * (a.causal() ? 0.5 : 1) * (a.outputGradient() == null ? 1 : 2.5);
            case Soften s -> problem().flops();
            case MultiHead m ->
                problem().flops()
                        - (causal(m.problem().attention())
                                ? m.problem().attention().flops() / 2
                                : 0);
        };
    }

    /**
     * {@return the bytes that cannot stay in cache: attended keys and values, or the input and output of a softmax; unsupported
     * for multi-head attention}
     */
    default double bytes() {
        return switch (this) {
            case Attend a ->
                a.attendedShare()
                        * a.inputs().key().type().bytes()
                        * (a.inputs().key().elementCount() + a.inputs().value().elementCount());
            case Soften s -> 8.0 * s.input().elementCount();
            case MultiHead m -> throw new UnsupportedOperationException("projections are counted in FLOPs");
        };
    }
}
