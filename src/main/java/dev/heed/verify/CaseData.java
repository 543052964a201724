package dev.heed.verify;

import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionProblem;
import dev.heed.AttentionShape;
import dev.heed.LinearProblem;
import dev.heed.LinearWeights;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadProblem;
import dev.heed.MultiHeadWeights;
import dev.heed.RotaryInputs;
import dev.heed.RotaryProblem;
import dev.heed.mask.BoundMask;
import dev.heed.mask.Mask;
import dev.heed.mask.MaskPattern;
import dev.heed.score.ScoreFunction;
import dev.heed.score.ScorePattern;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** A generator of the tensors of a {@link Case}. The same case gives the same tensors on every machine. */
final class CaseData {
    private static final double MASKED_SHARE = 0.3;

    /** Largest relative difference of nearby inputs, in roundings of their type. More would move large scores of competing keys. */
    private static final double NUDGE = 4;

    /** Largest relative factor that every second generator of nearby inputs gives a whole tensor. Sums of equal terms change. */
    private static final double SCALE = 0.125;

    /** Maximum number of random elements generated at a time, unless a tensor with one axis is longer. */
    private static final long PIECE = 1 << 20;

    private final Case recipe;
    private final Arena arena;
    private final Random random;
    private final Random layouts;
    private final @Nullable Random nudges;
    private final double scale;

    CaseData(Case recipe, Arena arena) {
        this(recipe, arena, null);
    }

    /**
     * Creates a generator of inputs near the inputs of the case.
     *
     * @param nudge the seed of random relative differences of at most {@value #NUDGE} roundings, or null for the case's own
     *     inputs; an odd seed also scales each tensor by a random factor of 1 ± {@value #SCALE}
     */
    CaseData(Case recipe, Arena arena, @Nullable Long nudge) {
        this.nudges = nudge == null ? null : new Random(nudge);
        this.scale = nudge == null || nudge % 2 == 0 ? 0 : SCALE;
        this.recipe = recipe;
        this.arena = arena;
        this.random = new Random(recipe.seed());
        this.layouts = new Random(~recipe.seed());
    }

    /** {@return a random tensor in the case's distribution and placement} */
    Tensor random(DType type, long... shape) {
        return random(recipe.values().spread, type, shape);
    }

    private Tensor random(double spread, DType type, long... shape) {
        if (recipe.placement() == Placement.MIXED && !recipe.poison() && layouts.nextInt(8) == 0) {
            long[] narrow = shape.clone();
            narrow[layouts.nextInt(shape.length)] = 1;
            Tensor shared = place(type, narrow);
            fill(shared, spread, factor());
            return shared.expand(shape);
        }
        Tensor tensor = place(type, shape);
        fill(tensor, spread, factor());
        return tensor;
    }

    private double factor() {
        return nudges == null ? 1 : 1 + scale * (2 * nudges.nextDouble() - 1);
    }

    /** Fills a tensor in row-major order, in pieces, because a large tensor and a copy of it in doubles may not fit in memory. */
    private void fill(Tensor tensor, double spread, double factor) {
        if (tensor.elementCount() > PIECE && tensor.rank() > 1) {
            long step = Math.max(1, PIECE * tensor.size(0) / tensor.elementCount());
            for (long from = 0; from < tensor.size(0); from += step) {
                Tensor part = tensor.slice(0, from, Math.min(tensor.size(0), from + step));
                fill(part.size(0) == 1 ? part.select(0, 0) : part, spread, factor);
            }
            return;
        }
        double[] values = new double[Math.toIntExact(tensor.elementCount())];
        double nudge = NUDGE * Math.max(ErrorBudget.rounding(DType.F32), ErrorBudget.rounding(tensor.type()));
        for (int i = 0; i < values.length; i++) {
            double value = factor * (spread == 0 ? 0.5 : spread * random.nextGaussian());
            values[i] = nudges == null ? value : value * (1 + nudge * (2 * nudges.nextDouble() - 1));
        }
        tensor.copyFrom(Tensor.of(values, tensor.shape()));
    }

    /** {@return a tensor of zeros for a result, in the case's placement} */
    Tensor place(DType type, long... shape) {
        return recipe.placement().place(layouts, arena, type, shape);
    }

    AttentionInputs attention(AttentionProblem p) {
        AttentionShape s = p.shape();
        Tensor query = random(p.type(), s.batch(), s.numHeads(), s.seqLenQ(), s.headDim());
        Tensor key = random(p.type(), s.batch(), s.numKvHeads(), s.seqLenKv(), s.keyHeadDim());
        Tensor value = random(1, p.type(), s.batch(), s.numKvHeads(), s.seqLenKv(), s.valueHeadDim());
        AttentionOptions options = options(p);
        if (recipe.poison()) {
            BoundMask mask = options.mask().on(s.seqLenQ(), s.seqLenKv());
            poison(key, value, s, mask);
            if (options.bias() != null) {
                poison(options.bias(), s, mask);
            }
        }
        if (p.kvType() == DType.I8) {
            key = recipe.placement().bytes(layouts, arena, key);
            value = recipe.placement().bytes(layouts, arena, value);
        }
        return AttentionInputs.of(query, key, value, options);
    }

    MultiHeadInputs multiHead(MultiHeadProblem p) {
        AttentionShape s = p.attention().shape();
        DType type = p.attention().type();
        Tensor query = random(type, s.batch(), s.seqLenQ(), p.embedQ());
        Tensor key = random(type, s.batch(), s.seqLenKv(), p.embedK());
        Tensor value = random(type, s.batch(), s.seqLenKv(), p.embedV());
        long q = s.numHeads() * s.headDim();
        long k = s.numKvHeads() * s.headDim();
        long v = s.numKvHeads() * s.valueHeadDim();
        long o = s.numHeads() * s.valueHeadDim();
        MultiHeadWeights weights = MultiHeadWeights.of(
                        random(1 / Math.sqrt(p.embedQ()), type, p.embedQ(), q),
                        random(1 / Math.sqrt(p.embedK()), type, p.embedK(), k),
                        random(1 / Math.sqrt(p.embedV()), type, p.embedV(), v),
                        random(1 / Math.sqrt(o), type, o, p.embedOut()))
                .withBiases(
                        p.queryBias() ? random(1, type, q) : null,
                        p.keyBias() ? random(1, type, k) : null,
                        p.valueBias() ? random(1, type, v) : null,
                        p.outputBias() ? random(1, type, p.embedOut()) : null);
        return MultiHeadInputs.of(query, key, value, weights, s.numHeads(), s.numKvHeads(), options(p.attention()));
    }

    LinearWeights linear(LinearProblem p) {
        return new LinearWeights(
                random(1 / Math.sqrt(p.in()), p.type(), p.in(), p.out()),
                p.bias() ? random(1, p.type(), p.out()) : null);
    }

    RotaryInputs rotary(RotaryProblem p) {
        Tensor input = random(p.type(), p.batch(), p.numHeads(), p.seqLen(), p.headDim());
        long rows = p.positions() ? 2 * p.seqLen() + 1 : p.batch() * p.seqLen();
        long half = p.rotaryDim() / 2;
        DType tables = p.type().accumulator();
        Tensor cos = place(tables, rows, half);
        Tensor sin = place(tables, rows, half);
        for (long row = 0; row < rows; row++) {
            for (long i = 0; i < half; i++) {
                double angle = row * Math.pow(10000, -2.0 * i / p.rotaryDim());
                cos.set(Math.cos(angle), row, i);
                sin.set(Math.sin(angle), row, i);
            }
        }
        if (!p.positions()) {
            return RotaryInputs.of(
                    input,
                    cos.reshape(p.batch(), p.seqLen(), half),
                    sin.reshape(p.batch(), p.seqLen(), half),
                    null,
                    p.interleaved());
        }
        long[] positions = random.longs(p.batch() * p.seqLen(), 0, rows).toArray();
        return RotaryInputs.of(input, cos, sin, Tensor.of(positions, p.batch(), p.seqLen()), p.interleaved());
    }

    private AttentionOptions options(AttentionProblem p) {
        AttentionShape s = p.shape();
        DType statistics = parameterType(p);
        AttentionOptions options = AttentionOptions.DEFAULT
                .withScore(score(p))
                .withSoftcap(p.softcap())
                .withBias(p.biasShape() == null ? null : random(1, statistics, sizes(p.biasShape())))
                .withAlibi(p.alibi() ? slopes(statistics, s.numHeads()) : null)
                .withMask(mask(p))
                .withSink(p.sink() ? random(1, statistics, s.numHeads()) : null)
                .withDropout(p.dropout(), recipe.seed())
                .withTopK(p.topK())
                .withScores(p.scores())
                .withRows(rows(p));
        options = options.withOutputs(options.outputs().withPartial(p.outputs().partial()));
        options = p.lse() ? options.withLse() : options;
        options = p.tf32() ? options.withTf32() : options;
        return p.weights() ? options.withWeights() : options;
    }

    /**
     * {@return a score function of the problem's pattern} Its random parameters are scaled so that scores are about as
     * large as scaled dot products.
     */
    private ScoreFunction score(AttentionProblem p) {
        AttentionShape s = p.shape();
        ScorePattern pattern = p.score();
        DType type = parameterType(p);
        double forQueries = 1 / Math.sqrt(s.headDim());
        double forKeys = 1 / Math.sqrt(s.keyHeadDim());
        return switch (pattern.kind()) {
            case DOT -> ScoreFunction.dot();
            case SCALED_DOT ->
                pattern.words().isEmpty() ? ScoreFunction.scaledDot() : ScoreFunction.scaledDot(pattern.number());
            case COSINE ->
                pattern.has("learned")
                        ? ScoreFunction.cosine(random(3, type, pattern.sizes()))
                        : ScoreFunction.cosine(pattern.number());
            case GENERAL -> ScoreFunction.general(parameter(p, forQueries * forKeys, s.headDim(), s.keyHeadDim()));
            case LOCATION -> ScoreFunction.location(parameter(p, forQueries, s.headDim(), pattern.sizes()[0]));
            case ADDITIVE -> {
                if (pattern.has("plain")) {
                    yield ScoreFunction.additive(parameter(p, forQueries, s.headDim()));
                }
                long hidden = pattern.sizes()[0];
                Tensor vector = parameter(p, 1 / Math.sqrt(hidden), hidden);
                Tensor ofQueries = parameter(p, forQueries, s.headDim(), hidden);
                Tensor ofKeys = parameter(p, forKeys, s.keyHeadDim(), hidden);
                yield pattern.has("bias")
                        ? ScoreFunction.additive(ofQueries, ofKeys, parameter(p, 1, hidden), vector)
                        : ScoreFunction.additive(ofQueries, ofKeys, vector);
            }
            case CONCAT -> {
                long hidden = pattern.sizes()[0];
                double spread = 1 / Math.sqrt(s.headDim() + s.keyHeadDim());
                yield ScoreFunction.concat(
                        parameter(p, spread, s.headDim() + s.keyHeadDim(), hidden),
                        parameter(p, 1 / Math.sqrt(hidden), hidden));
            }
            case GAUSSIAN -> {
                if (!pattern.has("learned")) {
                    yield ScoreFunction.gaussian(pattern.number());
                }
                Tensor widths = place(type, pattern.perHead() ? s.numHeads() : 1);
                for (long h = 0; h < widths.size(0); h++) {
                    widths.set((0.5 + random.nextDouble()) * forQueries, h);
                }
                yield ScoreFunction.gaussian(widths);
            }
            case CUSTOM -> NamedScores.of(pattern.words().getFirst());
        };
    }

    /** {@return the type of bias, slopes, sink and parameters of the score function} */
    private DType parameterType(AttentionProblem p) {
        return recipe.parameters() == null ? p.type().accumulator() : recipe.parameters();
    }

    private Tensor parameter(AttentionProblem p, double spread, long... shape) {
        DType type = parameterType(p);
        if (!p.score().perHead()) {
            return random(spread, type, shape);
        }
        long[] whole = new long[shape.length + 1];
        whole[0] = p.shape().numHeads();
        System.arraycopy(shape, 0, whole, 1, shape.length);
        return random(spread, type, whole);
    }

    private static long[] sizes(List<Long> shape) {
        return shape.stream().mapToLong(Long::longValue).toArray();
    }

    /**
     * {@return the slopes of the ALiBi paper, a geometric sequence whose first element and ratio are {@code
     * 2^(-8/heads)}}
     */
    private Tensor slopes(DType type, long heads) {
        Tensor slopes = place(type, heads);
        for (long h = 0; h < heads; h++) {
            slopes.set(Math.pow(2, -8.0 * (h + 1) / heads), h);
        }
        return slopes;
    }

    private static long[] rows(AttentionProblem p) {
        long last = p.shape().seqLenQ() - 1;
        return LongStream.range(0, p.rows())
                .map(r -> p.rows() == 1 ? last : r * last / (p.rows() - 1))
                .toArray();
    }

    private Mask mask(AttentionProblem p) {
        AttentionShape s = p.shape();
        return MaskPattern.parse(p.maskPattern(), new MaskPattern.Data() {
            @Override
            public long[] keyLengths() {
                return random.longs(s.batch(), 0, s.seqLenKv() + 1).toArray();
            }

            @Override
            public Tensor dense(long... shape) {
                Tensor dense = place(DType.BOOL, shape);
                double[] values = new double[Math.toIntExact(dense.elementCount())];
                for (int i = 0; i < values.length; i++) {
                    values[i] = random.nextDouble() < MASKED_SHARE ? 0 : 1;
                }
                dense.copyFrom(Tensor.of(values, shape));
                return dense;
            }

            @Override
            public Tensor spans(long... shape) {
                Tensor spans = place(DType.I64, shape);
                double[] ends = new double[Math.toIntExact(spans.elementCount())];
                for (int i = 0; i < ends.length; i += 2) {
                    ends[i] = random.nextInt(Math.toIntExact(s.seqLenKv()));
                    ends[i + 1] = ends[i] + random.nextInt(Math.toIntExact(s.seqLenKv() - (long) ends[i]) + 1);
                }
                spans.copyFrom(Tensor.of(ends, shape));
                return spans;
            }
        });
    }

    /** Writes NaN to every key and value row to which no query of the heads that share the row attends. */
    private static void poison(Tensor key, Tensor value, AttentionShape s, BoundMask mask) {
        for (long b = 0; b < s.batch(); b++) {
            for (long kvHead = 0; kvHead < s.numKvHeads(); kvHead++) {
                for (long j = 0; j < s.seqLenKv(); j++) {
                    if (!attended(mask, s, b, kvHead, j)) {
                        key.select(0, b).select(0, kvHead).select(0, j).fill(Double.NaN);
                        value.select(0, b).select(0, kvHead).select(0, j).fill(Double.NaN);
                    }
                }
            }
        }
    }

    /** Writes NaN to every element of the bias that no attended key uses. */
    private static void poison(Tensor bias, AttentionShape s, BoundMask mask) {
        Tensor old = bias.copy().expand(s.batch(), s.numHeads(), s.seqLenQ(), s.seqLenKv());
        Tensor whole = bias.fill(Double.NaN).expand(old.shape());
        for (long b = 0; b < s.batch(); b++) {
            for (long h = 0; h < s.numHeads(); h++) {
                for (long i = 0; i < s.seqLenQ(); i++) {
                    for (long j = 0; j < s.seqLenKv(); j++) {
                        if (mask.takesPart(b, h, i, j)) {
                            whole.put(whole.position(b, h, i, j), old.get(b, h, i, j));
                        }
                    }
                }
            }
        }
    }

    private static boolean attended(BoundMask mask, AttentionShape s, long b, long kvHead, long j) {
        for (long h = kvHead * s.groupSize(); h < (kvHead + 1) * s.groupSize(); h++) {
            for (long i = 0; i < s.seqLenQ(); i++) {
                if (mask.takesPart(b, h, i, j)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** {@return the same inputs in f64, for the reference} */
    static AttentionInputs toF64(AttentionInputs inputs) {
        return AttentionInputs.of(
                inputs.query().to(DType.F64),
                inputs.key().to(DType.F64),
                inputs.value().to(DType.F64),
                inputs.options());
    }

    /** {@return the same inputs in f64, for the reference} */
    static MultiHeadInputs toF64(MultiHeadInputs inputs) {
        MultiHeadWeights w = inputs.weights();
        AttentionShape s = inputs.problem().attention().shape();
        return MultiHeadInputs.of(
                inputs.query().to(DType.F64),
                inputs.key().to(DType.F64),
                inputs.value().to(DType.F64),
                MultiHeadWeights.of(
                                w.query().to(DType.F64),
                                w.key().to(DType.F64),
                                w.value().to(DType.F64),
                                w.output().to(DType.F64))
                        .withBiases(
                                toF64(w.queryBias()), toF64(w.keyBias()), toF64(w.valueBias()), toF64(w.outputBias())),
                s.numHeads(),
                s.numKvHeads(),
                inputs.options());
    }

    private static @Nullable Tensor toF64(@Nullable Tensor tensor) {
        return tensor == null ? null : tensor.to(DType.F64);
    }
}
