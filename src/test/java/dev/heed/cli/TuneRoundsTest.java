package dev.heed.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.heed.tuning.MeasuredTable;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

class TuneRoundsTest {
    private static final String CURRENT = "current";
    private static final String FIRST = "depth=384";
    private static final String SECOND = "depth=64";

    private final List<String> order = new ArrayList<>();

    private static ForkedCommand.Answer seconds(String bits, double... seconds) {
        var json = new JsonObject();
        json.addProperty("message", "");
        var cases = new JsonArray();
        for (double each : seconds) {
            var one = new JsonObject();
            one.addProperty("seconds", each);
            one.addProperty("bits", bits);
            cases.add(one);
        }
        json.add("cases", cases);
        return new ForkedCommand.Answer(json, "");
    }

    private static Deque<ForkedCommand.Answer> times(double... seconds) {
        return new ArrayDeque<>(
                DoubleStream.of(seconds).mapToObj(each -> seconds("1f", each)).toList());
    }

    private TuneRounds measured(int rounds, Map<String, Deque<ForkedCommand.Answer>> answers) {
        var subject = new TuneSubject(
                "products", MeasuredTable.VECTOR_GEMM, "|\t", List.of("linear 2x2x2 f32"), List.of(FIRST, SECOND));
        var measured = new TuneRounds(subject, rounds, candidate -> {
            String name = candidate == null ? CURRENT : candidate;
            order.add(name);
            return answers.get(name).remove();
        });
        measured.measure(() -> order.add("step"));
        assertEquals(measured.steps(), order.stream().filter("step"::equals).count());
        order.removeIf("step"::equals);
        return measured;
    }

    @Test
    void theCurrentSizesAreFirstAndLast() {
        TuneRounds measured =
                measured(2, Map.of(CURRENT, times(8, 9, 10), FIRST, times(7.5, 6), SECOND, times(12, 12)));
        assertEquals(List.of(CURRENT, FIRST, SECOND, CURRENT, FIRST, SECOND, CURRENT), order);
        assertEquals(1.25, measured.spread(), 1e-12);
        assertEquals(FIRST, measured.best()); // 8 / 6 is above 10 / 8
        assertEquals("1.33", speedup(measured, 1));
        assertEquals("0.67", speedup(measured, 2));
    }

    private static String speedup(TuneRounds measured, int line) {
        double speedup = measured.json()
                .getAsJsonArray("candidates")
                .get(line)
                .getAsJsonObject()
                .get("speedup")
                .getAsDouble();
        return String.valueOf(Math.round(speedup * 100) / 100.0);
    }

    @Test
    void aCandidateWithinTheSpreadOfTheCurrentSizesIsNotChosen() {
        TuneRounds measured =
                measured(2, Map.of(CURRENT, times(8, 9, 10), FIRST, times(7, 6.5), SECOND, times(12, 12)));
        assertNull(measured.best()); // 8 / 6.5 is below 10 / 8
        assertTrue(measured.anyPassed());
    }

    @Test
    void aCandidateThatWasOnceSlowerIsNotChosen() {
        assertNull(measured(2, Map.of(CURRENT, times(8, 8, 8.1), FIRST, times(2, 8.2), SECOND, times(12, 12)))
                .best());
    }

    /** The only round of a device: the fastest candidate is chosen even if it is slower than the current sizes. */
    @Test
    void oneRoundHasNoSpread() {
        TuneRounds measured = measured(1, Map.of(CURRENT, times(8), FIRST, times(11), SECOND, times(12)));
        assertEquals(List.of(CURRENT, FIRST, SECOND), order);
        assertEquals(FIRST, measured.best());
    }

    @Test
    void otherBitsAndTroubleRejectACandidate() {
        TuneRounds measured = measured(
                2,
                Map.of(
                        CURRENT,
                        times(8, 8, 8),
                        FIRST,
                        new ArrayDeque<>(List.of(seconds("2e", 1))),
                        SECOND,
                        new ArrayDeque<>(List.of(
                                seconds("1f", 1), new ForkedCommand.Answer(null, "its process printed nothing")))));
        assertEquals(List.of(CURRENT, FIRST, SECOND, CURRENT, SECOND, CURRENT), order);
        assertNull(measured.best());
        assertFalse(measured.anyPassed());
        String json = measured.json().toString();
        assertTrue(json.contains("the bits of its results differ from those of the current sizes"), json);
        assertTrue(json.contains("its process printed nothing"), json);
    }

    @Test
    void withoutTheCurrentSizesNothingIsFaster() {
        TuneRounds measured = measured(
                2,
                Map.of(
                        CURRENT,
                        new ArrayDeque<>(List.of(new ForkedCommand.Answer(null, "it crashed"))),
                        FIRST,
                        times(1, 1),
                        SECOND,
                        times(2, 2)));
        assertNull(measured.best());
        assertTrue(measured.anyPassed());
    }

    /** The time of several cases is their geometric mean, so that each has the same influence. */
    @Test
    void casesAreAveraged() {
        TuneRounds measured = measured(
                1,
                Map.of(
                        CURRENT,
                        new ArrayDeque<>(List.of(seconds("1f", 1, 100))),
                        FIRST,
                        new ArrayDeque<>(List.of(seconds("1f", 0.5, 100))),
                        SECOND,
                        new ArrayDeque<>(List.of(seconds("1f", 1, 75)))));
        assertEquals("1.41", speedup(measured, 1));
        assertEquals("1.15", speedup(measured, 2));
        assertEquals(FIRST, measured.best());
    }
}
