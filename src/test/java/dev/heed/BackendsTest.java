package dev.heed;

import static dev.heed.TensorAssertions.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Tests of the backend choice and of its messages when no backend can be chosen, mostly with backends that compute nothing. */
class BackendsTest {
    private static final Problem PROBLEM = Problem.parse("q1x2x3x4 kv2x3 f32 mask=causal:br");

    private final AttentionBackend fast = new AnsweringBackend("fast", 10, List.of(), List.of());
    private final AttentionBackend slow = new AnsweringBackend("slow", 0, List.of(), List.of());
    private final AttentionBackend absent =
            new AnsweringBackend("absent", 20, List.of("no device: install a driver", "no library: add it"), List.of());
    private final AttentionBackend picky =
            new AnsweringBackend("picky", 15, List.of(), List.of("headDim 4 < 8", "type f32 (supported: f16)"));

    @AfterEach
    void forgetProperties() {
        System.clearProperty("heed.backend");
        System.clearProperty("heed.strict");
    }

    @Test
    void theFirstThatCanIsTaken() {
        assertSame(fast, Backends.select(List.of(fast, slow), PROBLEM, "auto", false));
        assertSame(slow, Backends.select(List.of(absent, picky, slow, fast), PROBLEM, "auto", false));
    }

    @Test
    void aNameIsObeyed() {
        assertSame(slow, Backends.select(List.of(fast, slow), PROBLEM, "slow", false));
        assertSame(slow, Backends.select(List.of(absent, fast, slow), PROBLEM, "slow", true));
    }

    @Test
    void unknownNamesAreRefusedWithTheKnownOnes() {
        String text = assertRefused(null, () -> Backends.select(List.of(fast, slow), PROBLEM, "warp", false))
                .getMessage();
        assertTrue(text.contains("fast, slow") && text.contains("warp"), text);
        assertRefused(null, () -> Backends.named("warp"));
        assertRefused(null, () -> Backends.select(PROBLEM, "Reference"));
    }

    @Test
    void aNamedBackendThatCannotIsNeverReplaced() {
        var refusal = assertThrows(
                UnsupportedAttentionException.class,
                () -> Backends.select(List.of(absent, picky, fast), PROBLEM, "picky", false));
        assertEquals("""
                Backend picky cannot compute this.
                  case      q1x2x3x4 kv2x3 f32 mask=causal:br
                absent cannot, because:
                    no device: install a driver
                    no library: add it
                picky cannot, because:
                    headDim 4 < 8
                    type f32 (supported: f16)
                fast can
                HINT: heed devices says what is missing; or leave the backend out""", refusal.getMessage());
    }

    @Test
    void allReasonsOfAllAreNamedWhenNoneCan() {
        var refusal = assertThrows(
                UnsupportedAttentionException.class,
                () -> Backends.select(List.of(absent, picky), PROBLEM, "auto", false));
        for (String part : List.of(
                PROBLEM.toString(), "install a driver", "no library: add it", "headDim 4 < 8", "f16)", "\nHINT: ")) {
            assertTrue(refusal.getMessage().contains(part), refusal::getMessage);
        }
    }

    /** A backend that reports that another backend is faster. */
    private static final class Slower extends AnsweringBackend {
        Slower(String name, List<String> notReady) {
            super(name, 30, notReady, List.of());
        }

        @Override
        public List<String> passOverReasons(Problem problem) {
            return List.of("the bus is slower than the work");
        }
    }

    @Test
    void theAutomaticChoicePassesOverWhatSaysThatItIsSlower() {
        var reluctant = new Slower("reluctant", List.of());
        assertSame(fast, Backends.select(List.of(reluctant, fast), PROBLEM, "auto", false));
        assertSame(fast, Backends.select(List.of(reluctant, fast), PROBLEM, "auto", true));
        assertSame(reluctant, Backends.select(List.of(reluctant, fast), PROBLEM, "reluctant", false));
        assertSame(reluctant, Backends.select(List.of(reluctant, picky), PROBLEM, "auto", false));
        var absentToo = new Slower("absent", absent.notReadyReasons());
        assertSame(fast, Backends.select(List.of(absentToo, fast), PROBLEM, "auto", true));
        assertThrows(
                UnsupportedAttentionException.class,
                () -> Backends.select(List.of(absentToo, picky), PROBLEM, "auto", false));
    }

    @Test
    void aFailingBackendIsReplacedUnlessItWasAskedFor() {
        List<String> asked = new ArrayList<>();
        Consumer<AttentionBackend> work = backend -> {
            asked.add(backend.name());
            if (backend.equals(fast)) {
                throw new BackendFailedException("fast lost its device", null);
            }
        };
        Backends.compute(List.of(fast, slow), PROBLEM, "auto", false, work);
        assertEquals(List.of("fast", "slow"), asked);
        assertThrows(
                BackendFailedException.class,
                () -> Backends.compute(List.of(fast, slow), PROBLEM, "fast", false, work));
        assertThrows(
                BackendFailedException.class, () -> Backends.compute(List.of(fast, slow), PROBLEM, "auto", true, work));
        assertThrows(
                BackendFailedException.class,
                () -> Backends.compute(List.of(fast, picky), PROBLEM, "auto", false, work));
    }

    @Test
    void strictForbidsToPassOver() {
        assertSame(fast, Backends.select(List.of(fast, picky), PROBLEM, "auto", true));
        var refusal = assertThrows(
                UnsupportedAttentionException.class,
                () -> Backends.select(List.of(picky, fast), PROBLEM, "auto", true));
        assertTrue(refusal.getMessage().contains("heed.strict"), refusal::getMessage);
        assertTrue(refusal.getMessage().contains("headDim 4 < 8"), refusal::getMessage);
    }

    @Test
    void explainAsksEveryBackend() {
        assertEquals("""
                absent: no, because no device: install a driver; no library: add it
                picky: no, because headDim 4 < 8; type f32 (supported: f16)
                fast: yes""", Backends.explain(List.of(absent, picky, fast), PROBLEM));
        assertEquals(Backends.all().size(), Backends.explain(PROBLEM).lines().count());
    }

    @Test
    void installedBackendsAreOrderedByPriority() {
        List<AttentionBackend> all = Backends.all();
        assertEquals(
                all.stream()
                        .sorted(Comparator.comparingInt(AttentionBackend::priority)
                                .reversed())
                        .toList(),
                all);
        assertTrue(all.contains(Backends.named("reference")));
        assertEquals(
                all.size(), all.stream().map(AttentionBackend::name).distinct().count());
    }

    @Test
    void theReferenceIsTheLastResort() {
        assertSame(Backends.named("reference"), Backends.all().getLast());
    }

    @Test
    void propertyNamesTheBackendOfCallsThatNameNone() {
        System.setProperty("heed.backend", "reference");
        assertSame(Backends.named("reference"), Backends.select(PROBLEM, null));
        System.setProperty("heed.backend", "warp");
        assertRefused(null, () -> Backends.select(PROBLEM, null));
        assertSame(Backends.named("reference"), Backends.select(PROBLEM, "reference"));
    }

    @Test
    void optionsNameTheBackendOfACall() {
        Qkv qkv = Qkv.of("q1x2x3x4 kv2x3 f32");
        AttentionOptions reference = AttentionOptions.DEFAULT.withBackend("reference");
        Tensor named = Attention.scaledDotProduct(qkv.query(), qkv.key(), qkv.value(), reference)
                .output();
        assertEquals(3, named.size(2));
        AttentionOptions unknown = AttentionOptions.DEFAULT.withBackend("warp");
        assertRefused(null, () -> Attention.scaledDotProduct(qkv.query(), qkv.key(), qkv.value(), unknown));
    }
}
