package dev.heed.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.AttentionInputs;
import dev.heed.AttentionProblem;
import dev.heed.BrokenBackend;
import dev.heed.Problem;
import dev.heed.backend.reference.ReferenceBackend;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Tests that random cases are repeatable and of every kind, and that a fault is found and made small. */
class RandomVerifierTest {
    @Test
    void theSameSeedGivesTheSameCases() {
        RandomCases one = RandomCases.of(7);
        RandomCases same = RandomCases.of(7);
        var different = new HashSet<String>();
        for (int n = 0; n < 200; n++) {
            String text = one.next().toString();
            assertEquals(text, same.next().toString());
            assertEquals(text, Case.parse(text).toString());
            different.add(text);
        }
        assertTrue(different.size() > 195, different.size() + " different cases of 200");
    }

    @Test
    void everyOptionIsDrawn() {
        RandomCases cases = RandomCases.of(1);
        var all = new StringBuilder();
        for (int n = 0; n < 3000; n++) {
            all.append(cases.next()).append(" ;");
        }
        for (String word : List.of(
                "softmax ",
                "log-softmax ",
                "linear ",
                "rotary ",
                "mha ",
                " f32",
                " f64",
                " f16",
                " bf16",
                " kv=i8",
                " dk",
                " dv",
                "score=dot",
                "score=scaled-dot",
                "score=cosine",
                "score=general",
                "score=location",
                "score=additive",
                "score=concat",
                "score=gaussian",
                "score=custom",
                ",heads",
                " softcap=",
                " bias=",
                " alibi",
                " sink",
                " dropout=",
                " lse",
                " weights",
                " rows=",
                " topk=",
                " scores=",
                " tf32",
                "mask=causal",
                "window:",
                "keylens",
                "dense:",
                "spans:",
                "blocks:",
                "&",
                "|",
                "values=large",
                "values=huge",
                "values=constant",
                "layout=bshd",
                "layout=padded",
                "layout=native",
                "layout=mixed",
                " poison",
                " backward",
                " gelu",
                " interleaved",
                " positions")) {
            assertTrue(all.indexOf(word) >= 0, word + " was never drawn");
        }
    }

    @Test
    void variantsLimitWhatIsCompiled() {
        RandomCases cases = RandomCases.ofVariants(3, 5);
        Set<String> forms = new TreeSet<>();
        Set<String> all = new TreeSet<>();
        for (int n = 0; n < 300; n++) {
            Case drawn = cases.next();
            all.add(drawn.toString());
            if (drawn.problem() instanceof AttentionProblem p) {
                forms.add(p.type() + " " + p.shape().headDim() + " " + p.shape().valueHeadDim() + " "
                        + p.score().kind() + " " + p.alibi() + " " + p.softcap());
            }
        }
        assertTrue(forms.size() <= 5, forms.toString());
        assertTrue(all.size() > 250, all.size() + " different cases of 300");
    }

    @Test
    void aFaultIsFoundAndMadeSmall() {
        var broken = new BrokenBackend() {
            @Override
            protected AttentionInputs misread(AttentionInputs inputs) {
                return inputs.problem().softcap() == null
                        ? inputs
                        : AttentionInputs.of(
                                inputs.query(),
                                inputs.key(),
                                inputs.value(),
                                inputs.options().withSoftcap(null));
            }
        };
        var report = new RandomVerifier(broken, RandomCases.of(5)).run(Duration.ofSeconds(60));
        assertNotNull(report.first());
        assertNotNull(report.smallest());
        String text = report.smallest().checked().toString();
        assertTrue(text.contains("softcap="), text);
        assertTrue(text.split(" ", -1).length <= 6, text);
    }

    @Test
    void theReferencePasses() {
        var report = new RandomVerifier(new ReferenceBackend(), RandomCases.of(11)).run(Duration.ofSeconds(2));
        assertNull(report.first(), () -> String.valueOf(report.smallest()));
        assertTrue(report.passed() > 0);
        assertTrue(report.kinds().containsKey("seed"), report.kinds().toString());
    }

    /** A case without options is the smallest that can fail. */
    @Test
    void shrinkingEndsAtTheSmallestCaseThatFails() {
        Case large = Case.parse("q3x8x40x24 kv4x60 f32 softcap=5.0 bias=3x1x40x60 mask=causal:br&keylens lse seed=9");
        Case small = Shrinking.smallest(
                large,
                c -> c.problem() instanceof AttentionProblem p && p.shape().seqLenKv() >= 7,
                2000);
        assertEquals("q1x1x1x1 kv1x7 f32", small.toString());
        Case biased = Shrinking.smallest(
                large, c -> c.problem() instanceof AttentionProblem p && p.biasShape() != null, 2000);
        assertEquals(Problem.parse("q1x1x1x1 kv1x1 f32 bias=1x1x1x1"), biased.problem());
    }

    /** The textbook sum of 1,250 equal terms has an error by the term's digits, which only another term changes. */
    @Test
    void scaledNearbyInputsHaveOtherErrorsInSumsOfEqualTerms() {
        Case equal = Case.parse("mha in=12x13x16 out=1 biases=v q1x4x14x1 kv1x1250 f32 seed=775168 values=constant");
        double rounded = Math.max(naiveError(equal, 2), naiveError(equal, 4));
        double scaled = Math.max(naiveError(equal, 1), naiveError(equal, 3));
        assertTrue(scaled > 10 * rounded, scaled + " and " + rounded);
    }

    private static double naiveError(Case checked, long nudge) {
        return Verifier.naiveNear(checked, nudge).getFirst().naiveError();
    }
}
