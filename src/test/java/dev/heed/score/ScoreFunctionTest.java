package dev.heed.score;

import static dev.heed.TensorAssertions.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

class ScoreFunctionTest {
    private static final CustomScore CONSTANT = (query, key) -> 1;

    /**
     * Functions for batch 2, 4 heads, 3 queries, headDim 5, 7 keys and keyHeadDim 5 or 6; {@code PATTERNS} has their
     * patterns.
     */
    private static List<ScoreFunction> functions() {
        return List.of(
                ScoreFunction.dot(),
                ScoreFunction.scaledDot(),
                ScoreFunction.scaledDot(0.125),
                ScoreFunction.cosine(),
                ScoreFunction.cosine(zeros(4, 1)),
                ScoreFunction.general(zeros(5, 6)),
                ScoreFunction.general(zeros(4, 5, 6)),
                ScoreFunction.location(zeros(5, 9)),
                ScoreFunction.additive(zeros(4, 5)),
                ScoreFunction.additive(zeros(5, 8), zeros(6, 8), zeros(8)),
                ScoreFunction.additive(zeros(4, 5, 8), zeros(4, 6, 8), zeros(4, 8), zeros(4, 8)),
                ScoreFunction.concat(zeros(11, 8), zeros(8)),
                ScoreFunction.gaussian(0.5),
                ScoreFunction.gaussian(zeros(1)),
                ScoreFunction.gaussian(zeros(4)),
                ScoreFunction.custom("some", CONSTANT));
    }

    private static final List<String> PATTERNS = List.of(
            "dot",
            "scaled-dot",
            "scaled-dot:0.125",
            "cosine:1.0",
            "cosine:learned,4x1",
            "general",
            "general:heads",
            "location:9",
            "additive:plain,heads",
            "additive:8",
            "additive:8,bias,heads",
            "concat:8",
            "gaussian:0.5",
            "gaussian:learned",
            "gaussian:learned,heads",
            "custom:some");

    private static Tensor zeros(long... shape) {
        return Tensor.zeros(DType.F32, shape);
    }

    @Example
    void scaledDotDividesByTheRootOfTheWidthUnlessToldOtherwise() {
        assertEquals(1 / Math.sqrt(80), ScoreFunction.scaledDot().scale(80));
        assertEquals(-0.3, ScoreFunction.scaledDot(-0.3).scale(80));
        assertEquals(1, ScoreFunction.dot().scale(80));
    }

    @Example
    void everyFunctionHasAPatternThatPrintsAndParses() {
        List<ScoreFunction> functions = functions();
        for (int n = 0; n < functions.size(); n++) {
            ScorePattern pattern = functions.get(n).pattern();
            assertEquals(PATTERNS.get(n), pattern.toString());
            assertEquals(pattern, ScorePattern.parse(pattern.toString()));
            assertEquals(pattern, functions.get(n).map(Tensor::copy).pattern());
        }
    }

    @Property
    void factorsPrintAndParse(@ForAll double scale) {
        for (ScoreFunction score : List.of(ScoreFunction.scaledDot(scale), ScoreFunction.cosine(scale))) {
            ScorePattern pattern = score.pattern();
            assertEquals(pattern, ScorePattern.parse(pattern.toString()));
            assertEquals(scale, pattern.number());
        }
    }

    @Example
    void numbersAreSpelledOneWay() {
        assertEquals("cosine:5.0", ScorePattern.parse("cosine:5").toString());
        assertEquals("cosine:1.0", ScorePattern.parse("cosine").toString());
        assertEquals("gaussian:0.25", ScorePattern.parse("gaussian:.25").toString());
    }

    @Example
    void numbersThatNoFunctionHasAreRefused() {
        for (double number : new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}) {
            assertRefused(null, () -> ScoreFunction.scaledDot(number));
            assertRefused(null, () -> ScoreFunction.cosine(number));
            assertRefused(null, () -> ScoreFunction.gaussian(number));
            assertRefused(null, () -> ScorePattern.parse("scaled-dot:" + number));
        }
        assertRefused(null, () -> ScoreFunction.gaussian(-0.1));
        assertRefused(null, () -> ScorePattern.parse("gaussian:-1"));
    }

    @Example
    void parametersThatDoNotFitAreRefused() {
        for (ScoreFunction score : List.of(
                ScoreFunction.cosine(zeros(5, 3)),
                ScoreFunction.general(zeros(6, 5)),
                ScoreFunction.general(zeros(3, 5, 6)),
                ScoreFunction.general(zeros(5)),
                ScoreFunction.general(Tensor.zeros(DType.BOOL, 5, 6)),
                ScoreFunction.location(zeros(5, 6)),
                ScoreFunction.location(zeros(6, 7)),
                ScoreFunction.additive(zeros(5)),
                ScoreFunction.additive(zeros(5, 8), zeros(5, 8), zeros(8)),
                ScoreFunction.additive(zeros(5, 8), zeros(6, 8), zeros(4, 8)),
                ScoreFunction.additive(zeros(5, 8), zeros(6, 8), zeros(7), zeros(8)),
                ScoreFunction.concat(zeros(10, 8), zeros(8)),
                ScoreFunction.concat(zeros(11, 8), zeros(7)),
                ScoreFunction.gaussian(zeros(2)),
                ScoreFunction.gaussian(zeros(1, 1)))) {
            assertRefused(null, () -> score.requireFits(2, 4, 3, 7, 5, 6));
        }
        assertRefused(null, () -> new ScoreFunction.Additive(zeros(5, 8), null, null, zeros(8)));
        assertRefused(null, () -> new ScoreFunction.Additive(null, null, zeros(8), zeros(8)));
    }

    @Property
    void unreadablePatternsAreRefused(@ForAll String pattern) {
        assertRefused(null, () -> ScorePattern.parse("#" + pattern));
        assertRefused(null, () -> ScorePattern.parse("scaled-dot:x" + pattern));
        assertRefused(null, () -> ScorePattern.parse("dot" + pattern + "!"));
        assertRefused(null, () -> ScorePattern.parse("additive:#" + pattern));
    }
}
