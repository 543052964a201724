package dev.heed;

import static dev.heed.TensorAssertions.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.score.ScoreKind;
import dev.heed.score.ScorePattern;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.verify.Case;
import dev.heed.verify.Placement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.PropertyDefaults;
import net.jqwik.api.Provide;

/**
 * Tests that every problem and every test case can be printed and parsed back, and that unreadable text is rejected with an
 * {@link InvalidInputException} and no other exception.
 */
@PropertyDefaults(tries = 2000, edgeCases = EdgeCasesMode.NONE)
class CaseStringProperties {
    private static final DType[] TYPES = {DType.F32, DType.F64, DType.F16, DType.BF16};
    private static final String[] MASKS = {
        "none",
        "causal:br",
        "causal:tl",
        "causal:+3",
        "causal:+-2",
        "window:3,0:br",
        "window:inf,1:tl",
        "keylens",
        "causal:br&keylens",
        "(window:1,1:tl|causal:tl)",
        "(causal:br&keylens|window:0,0:+1)"
    };
    private static final String[] WORDS = {
        "q1x2x3x4",
        "kv2x3",
        "dv5",
        "dv",
        "f32",
        "f16",
        "i32",
        "score=dot",
        "score=scaled-dot:0.1",
        "score=general:heads",
        "score=location:2",
        "score=cosine:learned,0x",
        "dk7",
        "score=",
        "softcap=2",
        "softcap=x",
        "bias=1x1x3x3",
        "bias=",
        "alibi",
        "mask=causal:br",
        "mask=",
        "mask=(",
        "mask=keylens:2",
        "sink",
        "dropout=0.1",
        "dropout=1e999",
        "lse",
        "weights",
        "rows=1",
        "rows=1x1",
        "topk=2",
        "topk=99",
        "scores=modified",
        "scores=SCORE",
        "partial",
        "partial=f64",
        "partial=i8",
        "softmax",
        "3x4",
        "axis=1",
        "axis=-1",
        "axis=9",
        "log-softmax",
        "rotary",
        "1x2x3x4",
        "dim=2",
        "dim=3",
        "interleaved",
        "positions",
        "mha",
        "in=4x4x4",
        "out=4",
        "biases=qo",
        "biases=oq",
        "seed=3",
        "values=huge",
        "values=odd",
        "layout=padded",
        "poison",
        "backward",
        "q0x1x1x1",
        "kv1x-1",
        "q9999999999999999999x1x1x1",
        "\u0000",
        "q",
        "0x0",
        "-1",
        "=",
        "null"
    };

    @Provide
    Arbitrary<Problem> problems() {
        return Arbitraries.randomValue(CaseStringProperties::problem);
    }

    private static Problem problem(Random random) {
        return switch (random.nextInt(5)) {
            case 0 -> {
                AttentionProblem p = attention(random);
                DType partial = random.nextBoolean() ? null : random.nextBoolean() ? DType.F32 : DType.F64;
                yield p.sink() || p.dropout() > 0
                        ? p
                        : p.withOutputs(p.outputs().withPartial(partial));
            }
            case 1 -> {
                long[] shape = random.longs(1 + random.nextInt(5), 1, 2000).toArray();
                yield SoftmaxProblem.of(shape, random.nextInt(shape.length), type(random), random.nextBoolean());
            }
            case 2 ->
                MultiHeadProblem.of(
                                1 + random.nextInt(500),
                                1 + random.nextInt(500),
                                1 + random.nextInt(500),
                                1 + random.nextInt(500),
                                attention(random))
                        .withBiases(
                                random.nextBoolean(), random.nextBoolean(), random.nextBoolean(), random.nextBoolean());
            case 3 ->
                new LinearProblem(
                        1 + random.nextInt(500),
                        1 + random.nextInt(500),
                        1 + random.nextInt(500),
                        random.nextBoolean(),
                        Activation.values()[random.nextInt(Activation.values().length)],
                        type(random));
            default -> {
                long width = 2 + random.nextInt(200);
                yield new RotaryProblem(
                        1 + random.nextInt(9),
                        1 + random.nextInt(9),
                        1 + random.nextInt(9),
                        width,
                        2 * (1 + random.nextLong(width / 2)),
                        random.nextBoolean(),
                        random.nextBoolean(),
                        type(random));
            }
        };
    }

    private static AttentionProblem attention(Random random) {
        long kvHeads = 1 + random.nextInt(6);
        var s = new AttentionShape(
                1 + random.nextInt(3),
                kvHeads * (1 + random.nextInt(4)),
                kvHeads,
                random.nextInt(9) == 0 ? 1L << 35 : 1 + random.nextInt(70_000),
                1 + random.nextInt(70_000),
                1 + random.nextInt(300),
                1 + random.nextInt(300));
        long[] bias = {s.batch(), s.numHeads(), s.seqLenQ(), s.seqLenKv()};
        for (int axis = 0; axis < 4; axis++) {
            bias[axis] = random.nextBoolean() ? 1 : bias[axis];
        }
        List<Long> biasShape =
                LongStream.of(bias).skip(random.nextInt(4)).boxed().toList();
        String[] scores = {
            "scaled-dot",
            "dot",
            "scaled-dot:" + random.nextGaussian(),
            "cosine:" + random.nextGaussian(),
            "cosine:learned," + s.numHeads() + "x1",
            "general",
            "general:heads",
            "location:70000,heads",
            "additive:plain",
            "additive:" + (1 + random.nextInt(99)) + ",bias",
            "concat:7,heads",
            "gaussian:" + random.nextDouble(),
            "gaussian:learned",
            "custom:some_Name.1-2"
        };
        ScorePattern score = ScorePattern.parse(scores[random.nextInt(scores.length)]);
        if (score.kind().twoWidths() && !score.has("plain") && random.nextBoolean()) {
            s = new AttentionShape(
                    s.batch(),
                    s.numHeads(),
                    s.numKvHeads(),
                    s.seqLenQ(),
                    s.seqLenKv(),
                    s.headDim(),
                    1 + random.nextInt(300),
                    s.valueHeadDim());
        }
        ScoreStage[] stages = {null, ScoreStage.SCORE, ScoreStage.SOFTCAPPED, ScoreStage.MODIFIED};
        DType type = type(random);
        boolean dot = score.kind() == ScoreKind.DOT || score.kind() == ScoreKind.SCALED_DOT;
        return new AttentionProblem(
                s,
                type,
                dot && type != DType.F64 && random.nextBoolean() ? DType.I8 : type,
                score,
                random.nextBoolean() ? null : 100 * random.nextDouble() + 1e-9,
                random.nextBoolean() ? null : biasShape,
                random.nextBoolean(),
                MASKS[random.nextInt(MASKS.length)],
                random.nextBoolean(),
                random.nextBoolean() ? 0 : random.nextDouble(),
                random.nextBoolean(),
                AttentionOutputs.NONE
                        .withLse(random.nextBoolean())
                        .withWeights(random.nextBoolean())
                        .withRows(new long[random.nextBoolean() ? 0 : random.nextInt(9)])
                        .withTopK(random.nextBoolean() ? 0 : (int) Math.min(s.seqLenKv(), random.nextInt(9)))
                        .withScores(stages[random.nextInt(4)]));
    }

    private static DType type(Random random) {
        return TYPES[random.nextInt(TYPES.length)];
    }

    @Property
    void problemsPrintAndParse(@ForAll("problems") Problem problem) {
        assertEquals(problem, Problem.parse(problem.toString()));
        assertEquals(problem, Problem.parse("  " + problem.toString().replace(" ", " \t ") + "\n"));
        assertTrue(problem.flops() > 0, () -> problem + " has " + problem.flops() + " operations");
    }

    @Property
    void wordsOfTheCaseMayStandInAnyOrder(@ForAll("problems") Problem problem, @ForAll Random random) {
        List<String> words = new ArrayList<>(Arrays.asList(problem.toString().split(" ")));
        int first = problem instanceof AttentionProblem ? 0 : 1;
        Collections.shuffle(words.subList(first, words.size()), random);
        assertEquals(problem, Problem.parse(String.join(" ", words)));
    }

    @Property
    void casesPrintAndParse(@ForAll("problems") Problem problem, @ForAll Random random) {
        var values = Case.Values.values();
        var placements = Placement.values();
        var recipe = new Case(
                problem,
                random.nextLong(),
                values[random.nextInt(values.length)],
                placements[random.nextInt(placements.length)],
                random.nextBoolean() ? null : DType.F64,
                random.nextBoolean(),
                hasGradients(problem) && random.nextBoolean());
        assertEquals(recipe, Case.parse(recipe.toString()));
        assertEquals(Case.of(problem), Case.parse(problem.toString()));
    }

    private static boolean hasGradients(Problem problem) {
        return !(problem instanceof AttentionProblem attention && attention.kvType() == DType.I8);
    }

    @Property
    void heapsOfWordsAreReadOrRefused(@ForAll Random random) {
        String[] words = new String[random.nextInt(9)];
        Arrays.setAll(words, n -> WORDS[random.nextInt(WORDS.length)]);
        assertReadOrRefused(String.join(" ", words));
    }

    @Property
    void damagedCasesAreReadOrRefused(@ForAll("problems") Problem problem, @ForAll Random random) {
        var text = new StringBuilder(problem.toString());
        for (int n = random.nextInt(4); n >= 0; n--) {
            int at = random.nextInt(text.length());
            char other = "0x19-+.,:=&|()[] eqkvNaI\u00e9".charAt(random.nextInt(25));
            switch (random.nextInt(3)) {
                case 0 -> text.deleteCharAt(at);
                case 1 -> text.insert(at, other);
                default -> text.setCharAt(at, other);
            }
        }
        assertReadOrRefused(text.toString());
    }

    @Property
    void anyTextIsReadOrRefused(@ForAll String text) {
        assertReadOrRefused(text);
    }

    @Example
    void sizesBelowOneAreRefused() {
        for (String text : new String[] {
            "q0x1x1x1 kv1x1",
            "q1x1x1x1 kv1x0",
            "q1x1x1x1 kv0x1",
            "q1x1x1x1 kv1x1 dv0",
            "q1x3x1x1 kv2x1",
            "softmax 3x0",
            "mha in=0x1x1 out=1 q1x1x1x1 kv1x1",
            "rotary 0x1x1x8",
            "rotary 1x0x1x8",
            "rotary 1x1x0x8",
            "rotary 1x1x1x0"
        }) {
            assertRefused(null, () -> Problem.parse(text));
        }
    }

    /** Case strings with values that the options reject are rejected too. */
    @Example
    void numbersThatNoOptionsHaveAreRefused() {
        for (String words : new String[] {
            "dropout=1",
            "dropout=-0.1",
            "dropout=NaN",
            "softcap=0",
            "softcap=-1",
            "softcap=NaN",
            "softcap=Infinity",
            "rows=-1",
            "topk=-1",
            "topk=4",
            "score=scaled-dot:NaN",
            "bias=3",
            "bias=0",
            "bias=1x1x1x1x1",
            "bias=2x2"
        }) {
            assertRefused(null, () -> Problem.parse("q1x2x5x4 kv2x2 " + words));
        }
    }

    /** Two spellings of one mask must give equal problems; otherwise a plan would reject inputs with the other spelling. */
    @Example
    void masksAreSpeltInFull() {
        for (String[] pair : new String[][] {
            {"causal", "causal:br"}, {"window:3,0", "window:3,0:br"}, {"(causal:tl)", "causal:tl"},
            {"dense:5x2", "dense:1x1x5x2"}, {"causal:+[3]", "causal:+3"}, {"none", "none"}
        }) {
            assertEquals(
                    Problem.parse("q1x2x5x4 kv2x2 mask=" + pair[1]), Problem.parse("q1x2x5x4 kv2x2 mask=" + pair[0]));
        }
    }

    @Example
    void typeAndAxisHaveDefaults() {
        assertEquals("q1x2x5x4 kv2x2 f32", Problem.parse("q1x2x5x4 kv2x2").toString());
        assertEquals("softmax 3x4 axis=1 f32", Problem.parse("softmax 3x4").toString());
        assertEquals("rotary 1x1x2x8 f32", Problem.parse("rotary 1x1x2x8").toString());
    }

    @Example
    void refusalShowsTheGrammarAndTheText() {
        String text = assertRefused(null, () -> Problem.parse("q1x2x5x4 kv2x2 colour=red"))
                .getMessage();
        assertTrue(text.contains("colour=red") && text.contains("[mask=causal:br&keylens]"), text);
    }

    private static void assertReadOrRefused(String text) {
        try {
            Problem problem = Problem.parse(text);
            assertEquals(problem, Problem.parse(problem.toString()), text);
        } catch (InvalidInputException refused) {
            assertTrue(refused.getMessage().contains("\nHINT: "), refused::getMessage);
        }
        try {
            Case recipe = Case.parse(text);
            assertEquals(recipe, Case.parse(recipe.toString()), text);
        } catch (InvalidInputException refused) {
            assertTrue(refused.getMessage().contains("\nHINT: "), refused::getMessage);
        }
    }
}
