package dev.heed.score;

import static dev.heed.TensorAssertions.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;

import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

class ScoreFunctionTest {
    @Example
    void scaledDotDividesByTheRootOfTheWidthUnlessToldOtherwise() {
        assertEquals(1 / Math.sqrt(80), ScoreFunction.scaledDot().scale(80));
        assertEquals(-0.3, ScoreFunction.scaledDot(-0.3).scale(80));
        assertEquals(1, ScoreFunction.dot().scale(80));
    }

    @Property
    void patternsPrintAndParse(@ForAll double scale) {
        ScoreFunction score = ScoreFunction.scaledDot(scale);
        assertEquals(score, ScoreFunction.parse(score.pattern()));
    }

    @Example
    void namesPrintAndParse() {
        for (ScoreFunction score : new ScoreFunction[] {ScoreFunction.dot(), ScoreFunction.scaledDot()}) {
            assertEquals(score, ScoreFunction.parse(score.pattern()));
        }
    }

    @Example
    void scalesThatAreNotFiniteAreRefused() {
        for (double scale : new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}) {
            assertRefused(null, () -> ScoreFunction.scaledDot(scale));
            assertRefused(null, () -> ScoreFunction.parse("scaled-dot:" + scale));
        }
    }

    @Property
    void unreadablePatternsAreRefused(@ForAll String pattern) {
        assertRefused(null, () -> ScoreFunction.parse("#" + pattern));
        assertRefused(null, () -> ScoreFunction.parse("scaled-dot:x" + pattern));
        assertRefused(null, () -> ScoreFunction.parse("dot" + pattern + "!"));
    }
}
