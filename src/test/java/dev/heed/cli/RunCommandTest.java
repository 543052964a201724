package dev.heed.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.heed.AttentionBackend;
import dev.heed.backend.reference.ReferenceBackend;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RunCommandTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "q1x2x5x8 kv2x7 f32 mask=causal:br",
                "q1x2x5x8 kv2x7 bf16 lse weights seed=9 layout=padded backward",
                "softmax 3x9 axis=1 f32",
                "log-softmax 3x9 axis=0 f64 backward",
                "mha in=12x12x12 out=12 biases=qkvo q1x3x4x4 kv3x4 f32",
                "rotary 1x2x5x8 f32"
            })
    void everyKindOfProblem(String text) {
        Heed run = Heed.run("run", text, "--repeat", "2").succeeded();
        assertTrue(run.out().startsWith("case     " + text), run.out());
        assertTrue(run.out().contains("backend  reference") && run.out().contains("of 2"), run.out());
        assertEquals("PASS", run.lastLine());
    }

    @Test
    void quotesMayBeLeftOut() {
        Heed.run("run", "q1x2x5x8", "kv2x7", "f32", "--repeat", "1").succeeded();
    }

    @Test
    void theSeedOfTheOptionWins() {
        String out = Heed.run("run", "q1x1x2x2 kv1x2 f32 seed=3", "--seed", "-8")
                .succeeded()
                .out();
        assertTrue(out.startsWith("case     q1x1x2x2 kv1x2 f32 seed=-8"), out);
    }

    @Test
    void json() {
        JsonObject json = Heed.run("run", "q1x1x2x2 kv1x2 f32 lse", "--json", "--repeat", "3")
                .succeeded()
                .json();
        assertEquals("PASS", json.get("verdict").getAsString());
        assertEquals("reference", json.get("backend").getAsString());
        assertEquals(3, json.get("repeat").getAsInt());
        assertTrue(json.get("bestSeconds").getAsDouble()
                <= json.get("medianSeconds").getAsDouble());
        JsonObject output = json.getAsJsonArray("measures").get(0).getAsJsonObject();
        assertEquals("output", output.get("tensor").getAsString());
        assertTrue(output.get("maxError").getAsDouble()
                <= output.get("allowedError").getAsDouble());
        assertTrue(json.has("gigaflops") && json.has("message") && output.has("ratioToNaive"));
    }

    @Test
    void aWrongResultFails() {
        var broken = new FaultyBackend(FaultyBackend.Fault.WRONG);
        Heed run = Heed.run(List.of(broken), "run", "q1x1x2x2 kv1x2 f32");
        assertEquals(1, run.code());
        assertTrue(run.lastLine().startsWith("FAIL output: max error 0.01"), run.out());
        JsonObject json =
                Heed.run(List.of(broken), "run", "q1x1x2x2 kv1x2 f32", "--json").json();
        assertEquals("FAIL", json.get("verdict").getAsString());
    }

    @Test
    void aBackendThatThrowsFailsOnOneLine() {
        Heed run = Heed.run(List.of(new FaultyBackend(FaultyBackend.Fault.THROWS)), "run", "q1x1x2x2 kv1x2 f32");
        assertEquals(1, run.code());
        assertEquals("", run.err());
        assertEquals("FAIL threw java.lang.IllegalStateException: boom; and more", run.lastLine());
        assertFalse(run.out().contains("time "), run::out); // nothing was timed
        JsonObject json = Heed.run(
                        List.of(new FaultyBackend(FaultyBackend.Fault.THROWS)), "run", "q1x1x2x2 kv1x2 f32", "--json")
                .json();
        assertTrue(
                json.get("bestSeconds").isJsonNull()
                        && json.get("medianSeconds").isJsonNull(),
                json::toString);
    }

    @Test
    void badInput() {
        for (String text : List.of(
                "nonsense",
                "",
                " ",
                "q1x1x2x2",
                "kv1x2",
                "q0x1x2x2 kv1x2",
                "q-1x1x2x2 kv1x2",
                "q1x3x2x2 kv2x2",
                "q99999999999999999999x1x1x1 kv1x1",
                "q1x1x2x2 kv1x2 f33",
                "q1x1x2x2 kv1x2 mask=sideways",
                "q1x1x2x2 kv1x2 dropout=2",
                "q1x1x2x2 kv1x2 softcap=-1",
                "q1x1x2x2 kv1x2 topk=9",
                "q1x1x2x2 kv1x2 seed=x",
                "q1x1x2x2 kv1x2 values=odd",
                "q1x1x2x2 kv1x2 layout=odd",
                "softmax",
                "softmax 3 axis=7",
                "mha in=3",
                "rotary 1x1x4x3",
                "q1x1x2x2 kv1x2 bias=3x3",
                "q1x1x2x2 kv1x2 mask=dense:7x2x2",
                "q1x1x2x2 kv1x2 rows=-1",
                "q1x1x2x2 kv1x2 dropout=NaN",
                "q1x1x999999999x64 kv1x2",
                "q1x1x99999x64 kv1x99999 weights",
                "softmax 99999x99999",
                "q99999x1x99999x1 kv1x99999999999999",
                "q1x1x2x2 kv1x2 mask=causal:+[1,2,3]",
                "q1x1x2x2 kv1x2\n\u001b[31m boo")) {
            Heed.run("run", text).failedWith(2, "expected", "got", "HINT: ");
        }
        Heed.run("run", "q1x1x2x2 kv1x2", "--repeat", "0").failedWith(2, "1 to 1000");
        Heed.run("run", "q1x1x2x2 kv1x2", "--repeat", "1001").failedWith(2, "1 to 1000");
    }

    @Test
    void whoCanComputeIt() {
        Heed.run("run", "q1x1x2x2 kv1x2", "--backend", "gpu").failedWith(2, "auto or one of reference", "gpu");
        Heed.run("run", "q1x1x2x2 kv1x2", "--backend", "auto").succeeded();
        var notReady = new FaultyBackend(FaultyBackend.Fault.NOT_READY);
        Heed.run(List.of(notReady, new ReferenceBackend()), "run", "q1x1x2x2 kv1x2")
                .succeeded();
        Heed.run(List.of(notReady, new ReferenceBackend()), "run", "q1x1x2x2 kv1x2", "--backend", "broken")
                .failedWith(
                        1,
                        "broken",
                        "libBroken.so is missing: apt install broken",
                        "and it rains",
                        "HINT: heed devices");
        var noSoftmax = new FaultyBackend(FaultyBackend.Fault.REFUSES_SOFTMAX);
        Heed.run(List.of(noSoftmax), "run", "softmax 3").failedWith(1, "softmax (supported: attention)", "softmax 3");
        Heed.run(List.of(), "run", "softmax 3").failedWith(1, "there is none");
    }

    /** The command and the library share one implementation of the selection. */
    @Test
    void strictForbidsToPassOver() {
        List<AttentionBackend> backends =
                List.of(new FaultyBackend(FaultyBackend.Fault.NOT_READY), new ReferenceBackend());
        System.setProperty("heed.strict", "true");
        try {
            for (String[] command : new String[][] {
                {"run", "q1x1x2x2 kv1x2"}, {"verify", "--quick", "--filter", "rotary"}, {"demo", "pooling"}
            }) {
                Heed.run(backends, command)
                        .failedWith(1, "heed.strict forbids", "libBroken.so is missing", "HINT: fix these reasons");
            }
            Heed.run(backends, "run", "q1x1x2x2 kv1x2", "--backend", "reference")
                    .succeeded();
        } finally {
            System.clearProperty("heed.strict");
        }
    }
}
