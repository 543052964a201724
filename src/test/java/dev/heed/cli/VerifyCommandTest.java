package dev.heed.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.heed.AttentionBackend;
import dev.heed.cli.console.CliEnvironment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class VerifyCommandTest {
    @Test
    void theReferencePassesOneGroup() {
        Heed run = Heed.run("verify", "--quick", "--filter", "rotary").succeeded();
        assertTrue(run.out().contains("group") && run.out().contains("worst case"), run.out());
        assertTrue(run.lastLine().matches("[1-9]\\d* passed, 0 failed, 0 skipped"), run.out());
    }

    @Test
    void json() {
        JsonObject json = Heed.run("verify", "--quick", "--filter", "rotary", "--json")
                .succeeded()
                .json();
        assertEquals("reference", json.get("backend").getAsString());
        assertEquals(0, json.get("failed").getAsInt());
        int cases = 0;
        for (var group : json.getAsJsonArray("groups")) {
            cases += group.getAsJsonObject().get("cases").getAsInt();
            assertTrue(group.getAsJsonObject().get("worstCase").getAsString().contains("rotary"));
        }
        assertEquals(json.get("passed").getAsInt(), cases);
        assertTrue(json.has("failures") && json.has("skips") && json.has("quick") && json.has("filter"));
    }

    @Test
    void aFaultyBackendFailsAndTheCommandThatRepeatsItIsPrinted() {
        var backends = List.<AttentionBackend>of(new FaultyBackend(FaultyBackend.Fault.WRONG));
        Heed run = Heed.run(backends, "verify", "--quick", "--filter", "widths");
        assertEquals(1, run.code());
        assertTrue(run.out().contains(" FAILED"), run.out());
        assertTrue(run.lastLine().matches("0 passed, [1-9]\\d* failed, 0 skipped"), run.out());
        String repeat = run.out()
                .lines()
                .filter(line -> line.startsWith("repeat   heed run \""))
                .findFirst()
                .orElseThrow();
        assertTrue(repeat.endsWith("\" --backend broken"), repeat);

        Heed again = Heed.run(backends, "run", repeat.split("\"")[1], "--backend", "broken");
        assertEquals(1, again.code());
        assertTrue(again.lastLine().startsWith("FAIL"), again.out());

        JsonObject json = Heed.run(backends, "verify", "--quick", "--filter", "widths", "--json")
                .json();
        assertEquals(
                json.get("failed").getAsInt(), json.getAsJsonArray("failures").size());
        JsonObject failure = json.getAsJsonArray("failures").get(0).getAsJsonObject();
        assertTrue(
                failure.get("repeat").getAsString().contains(failure.get("case").getAsString()));
    }

    @Test
    void whatABackendRefusesIsSkippedWithReasons() {
        var backends = List.<AttentionBackend>of(new FaultyBackend(FaultyBackend.Fault.REFUSES_SOFTMAX));
        Heed run =
                Heed.run(backends, "verify", "--quick", "--filter", "softmax").succeeded();
        assertTrue(run.lastLine().matches("0 passed, 0 failed, [1-9]\\d* skipped"), run.out());
        assertTrue(run.out().contains("cases: softmax (supported: attention)"), run.out());
        JsonObject json = Heed.run(backends, "verify", "--quick", "--filter", "softmax", "--json")
                .succeeded()
                .json();
        assertEquals(1, json.getAsJsonArray("skips").size());
        assertTrue(json.getAsJsonArray("groups")
                .get(0)
                .getAsJsonObject()
                .get("maxError")
                .isJsonNull());
    }

    @Test
    void badInput() {
        Heed.run("verify", "--filter", "no such case").failedWith(2, "The filter leaves no case", "masks");
        Heed.run("verify", "--backend", "gpu").failedWith(2, "Unknown backend", "gpu");
        Heed.run(List.of(new FaultyBackend(FaultyBackend.Fault.NOT_READY)), "verify")
                .failedWith(1, "libBroken.so");
    }

    @Test
    void progressIsDrawnOnATerminalOnly() {
        String[] args = {"verify", "--quick", "--filter", "rotary"};
        var terminal =
                new CliEnvironment(Heed.PIPED.backends(), Map.of("TERM", "xterm"), true, true, StandardCharsets.UTF_8);
        Heed shown = Heed.run(terminal, args);
        assertEquals(0, shown.code());
        assertTrue(shown.err().contains("verify reference") && shown.err().endsWith("\r"), shown.err());
        assertFalse(shown.out().contains("\r"), shown.out());
        assertEquals(Heed.run(args).succeeded().out(), shown.out());
    }
}
