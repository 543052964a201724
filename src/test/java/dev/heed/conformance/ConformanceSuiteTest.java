package dev.heed.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.AnsweringBackend;
import dev.heed.AttentionBackend;
import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.conformance.Outcome.Status;
import dev.heed.onnx.ProtoWriter;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConformanceSuiteTest {
    private static final Tensor X = Tensor.of(new float[] {1, 2, 3, 0, 0, 0}, 2, 3);
    private static final float[] Y = {0.09003057f, 0.24472848f, 0.66524094f, 1 / 3f, 1 / 3f, 1 / 3f};

    @TempDir
    Path root;

    // ---------------------------------------------------------------- ONNX cases

    @Test
    void aCaseThatIsMetPasses() throws IOException {
        softmax("good", Y);
        assertTrue(only().line().matches("PASS good [0-9.e+-]+"), only().line());
    }

    @Test
    void anAlteredNumberFailsAndIsNamed() throws IOException {
        float[] altered = Y.clone();
        altered[4] += 1e-4f;
        softmax("bad", altered);
        assertTrue(
                only().line()
                        .matches(
                                "FAIL bad expected 0\\.3334.* got 0\\.3333.* at \\[1, 1\\] of y in test_data_set_0 .*"),
                only().line());
    }

    @Test
    void whatIsNotANumberMustBeExpected() throws IOException {
        softmax("nan", new float[] {Float.NaN, Y[1], Y[2], Y[3], Y[4], Y[5]});
        assertEquals(Status.FAIL, only().status());

        assertTrue(Tolerance.of(DType.F32).allows(Double.NaN, Double.NaN));
        assertTrue(Tolerance.of(DType.F32).allows(Double.NEGATIVE_INFINITY, Double.NEGATIVE_INFINITY));
        assertEquals(false, Tolerance.of(DType.F32).allows(Double.POSITIVE_INFINITY, 1e300));
        assertEquals(false, Tolerance.of(DType.F32).allows(1, Double.NaN));
    }

    @Test
    void anotherTypeOrShapeFails() throws IOException {
        softmax("type", Y);
        write(
                "type/test_data_set_0/output_0.pb",
                ProtoWriter.tensor("y", Tensor.of(Y, 2, 3).to(DType.F64)));
        assertTrue(only().line().contains("expected f64[2, 3] got f32[2, 3]"), only().line());

        write("type/test_data_set_0/output_0.pb", ProtoWriter.tensor("y", Tensor.of(Y, 3, 2)));
        assertTrue(only().line().contains("expected f32[3, 2] got f32[2, 3]"), only().line());
    }

    @Test
    void everyDataSetCounts() throws IOException {
        softmax("sets", Y);
        for (int set : new int[] {1, 2, 10}) {
            dataSet("sets", set, Y);
        }
        assertEquals(Status.PASS, only().status());

        float[] altered = Y.clone();
        altered[0] = 0.5f;
        dataSet("sets", 10, altered);
        assertTrue(only().line().contains("test_data_set_10"), only().line());
    }

    @Test
    void aDamagedCaseFailsAndTheOthersGoOn() throws IOException {
        softmax("a", Y);
        softmax("b", Y);
        softmax("c", Y);
        softmax("d", Y);
        softmax("e", Y);
        byte[] whole = Files.readAllBytes(root.resolve("b/test_data_set_0/input_0.pb"));
        write("b/test_data_set_0/input_0.pb", Arrays.copyOf(whole, whole.length - 3));
        write("c/model.onnx", new byte[] {1, 2, 3});
        Files.delete(root.resolve("d/test_data_set_0/output_0.pb"));

        List<Outcome> outcomes = run(root, new ReferenceBackend());

        assertEquals(
                List.of(Status.PASS, Status.FAIL, Status.FAIL, Status.FAIL, Status.PASS),
                outcomes.stream().map(Outcome::status).toList());
        assertTrue(
                outcomes.get(1).line().contains("input_0.pb"), outcomes.get(1).line());
        assertTrue(
                outcomes.get(2).line().contains("model.onnx"), outcomes.get(2).line());
        assertTrue(
                outcomes.get(3).line().contains("output_0.pb"), outcomes.get(3).line());
        assertTrue(outcomes.stream().allMatch(outcome -> outcome.line().lines().count() == 1));
    }

    @Test
    void filesMustMatchTheNode() throws IOException {
        softmax("more", Y);
        write("more/test_data_set_0/input_1.pb", ProtoWriter.tensor("z", X));
        assertTrue(only().line().contains("input_1.pb"), only().line());

        Files.delete(root.resolve("more/test_data_set_0/input_1.pb"));
        Files.move(root.resolve("more/test_data_set_0"), root.resolve("more/test_data_set_x"));
        assertTrue(only().line().startsWith("FAIL more"), only().line());
    }

    @Test
    void filesAreNumberedOverTheInputsThatAreThere() throws IOException {
        Tensor q = Tensor.of(new float[] {1, 0}, 1, 1, 1, 2);
        Tensor k = Tensor.of(new float[] {1, 0, 0, 1, 5, 5}, 1, 1, 3, 2);
        Tensor v = Tensor.of(new float[] {3, 4, 7, 8, Float.NaN, Float.NaN}, 1, 1, 3, 2);
        Tensor lengths = Tensor.of(new long[] {1}, 1);
        List<String> names = List.of("Q", "K", "V", "", "", "", "nonpad_kv_seqlen");
        byte[] model = ProtoWriter.model(
                "Attention", 24, Map.of("is_causal", 1L), names, List.of("Y"), Map.of("nonpad_kv_seqlen", DType.I64));
        write("gaps/model.onnx", model);
        List<Tensor> inputs = List.of(q, k, v, lengths);
        for (int i = 0; i < inputs.size(); i++) {
            write("gaps/test_data_set_0/input_" + i + ".pb", ProtoWriter.tensor("", inputs.get(i)));
        }
        write("gaps/test_data_set_0/output_0.pb", ProtoWriter.tensor("", Tensor.of(new float[] {3, 4}, 1, 1, 1, 2)));
        assertEquals("PASS gaps 0.0e+00", only().line());

        // Files that contain the names of their values may be in any order.
        List<String> shuffled = List.of("nonpad_kv_seqlen", "V", "K", "Q");
        for (int i = 0; i < 4; i++) {
            Tensor tensor = inputs.get(3 - i);
            write("gaps/test_data_set_0/input_" + i + ".pb", ProtoWriter.tensor(shuffled.get(i), tensor));
        }
        assertEquals("PASS gaps 0.0e+00", only().line());
    }

    @Test
    void aShortMaskHidesTheRestAndAnEmptyPastIsNone() throws IOException {
        Tensor q = Tensor.of(new float[] {1, 2}, 1, 1, 1, 2);
        Tensor kv = Tensor.of(new float[] {1, 0, 0, 1, 9, 9}, 1, 1, 3, 2);
        Tensor mask = Tensor.of(new float[] {0}, 1, 1);
        List<String> names = List.of("Q", "K", "V", "attn_mask", "past_key", "past_value");
        write("first/model.onnx", ProtoWriter.model("Attention", 23, Map.of(), names, List.of("Y"), Map.of()));
        List<Tensor> inputs = List.of(q, kv, kv, mask);
        for (int i = 0; i < 4; i++) {
            write("first/test_data_set_0/input_" + i + ".pb", ProtoWriter.tensor(names.get(i), inputs.get(i)));
        }
        byte[] empty = new ProtoWriter()
                .varint(1, 1)
                .varint(1, 1)
                .varint(1, 0)
                .varint(1, 2)
                .varint(2, 1)
                .bytes(9, new byte[0])
                .toBytes();
        write("first/test_data_set_0/input_4.pb", empty);
        write("first/test_data_set_0/input_5.pb", empty);
        write("first/test_data_set_0/output_0.pb", ProtoWriter.tensor("Y", Tensor.of(new float[] {1, 0}, 1, 1, 1, 2)));
        assertEquals("PASS first 0.0e+00", only().line());
    }

    @Test
    void whatHeedDoesNotHaveIsSkippedWithTheReason() throws IOException {
        write("op/model.onnx", ProtoWriter.model("Relu", 13, Map.of(), List.of("x"), List.of("y"), Map.of()));
        assertEquals("SKIP op operator Relu", only().line());

        write("op/model.onnx", ProtoWriter.model("Softmax", 11, Map.of(), List.of("x"), List.of("y"), Map.of()));
        dataSet("op", 0, Y);
        assertTrue(only().line().startsWith("SKIP op Softmax of opset 11"), only().line());

        Map<String, Long> attributes = Map.of("axis", 1L, "flavour", 2L);
        write("op/model.onnx", ProtoWriter.model("Softmax", 13, attributes, List.of("x"), List.of("y"), Map.of()));
        assertEquals("SKIP op attribute flavour of operator Softmax", only().line());
    }

    @Test
    void aBackendThatSaysNoIsSkippedAndOneThatThrowsFails() throws IOException {
        softmax("case", Y);
        var refusing = stub("no softmax today");
        assertEquals(
                "SKIP case stub: no softmax today",
                run(root, refusing).getFirst().line());
        assertTrue(run(root, stub()).getFirst().line().startsWith("FAIL case no exception expected, got "));
    }

    // ---------------------------------------------------------------- directories

    @Test
    void aDirectoryWithoutCasesIsRefused() throws IOException {
        assertThrows(InvalidInputException.class, () -> ConformanceSuite.of(root));
        assertThrows(InvalidInputException.class, () -> ConformanceSuite.of(root.resolve("nowhere")));
        write("notes.txt", "not vectors".getBytes());
        Files.createDirectories(root.resolve("empty/deeper"));
        assertThrows(InvalidInputException.class, () -> ConformanceSuite.of(root));
        assertThrows(InvalidInputException.class, () -> ConformanceSuite.of(root.resolve("notes.txt")));
    }

    @Test
    void casesAreFoundByNameInAnyDepthAndOneCaseIsASuite() throws IOException {
        softmax("node/b", Y);
        softmax("node/a", Y);
        softmax("c", Y);
        write("classic/classic-vectors.txt", vectors("first", "0.5 0.5").getBytes());
        assertEquals(
                List.of("c", "node/a", "node/b", "first"),
                ConformanceSuite.of(root).cases().stream()
                        .map(ConformanceCase::name)
                        .toList());
        assertEquals(
                "PASS",
                ConformanceSuite.of(root.resolve("node/a"))
                        .cases()
                        .getFirst()
                        .run(new ReferenceBackend())
                        .status()
                        .toString());
        assertEquals(1, ConformanceSuite.of(root.resolve("classic")).cases().size());
    }

    // ---------------------------------------------------------------- vectors

    @Test
    void vectorsPassFailAndSkip() throws IOException {
        String text = "# a comment\n\n" + vectors("good", "0.5 0.5") + vectors("bad", "0.6 0.5")
                + vectors("good", "0.5 0.5")
                        .replace("case good", "case other")
                        .replace("softmax.masked", "score.unheard")
                + vectors("more", "0.5 0.5").replace("tensor mask", "tensor extra 1 1\ntensor mask");
        write("any-name.txt", text.getBytes());
        List<String> lines =
                run(root, new ReferenceBackend()).stream().map(Outcome::line).toList();
        assertEquals("PASS good 0.0e+00", lines.get(0));
        assertTrue(lines.get(1).startsWith("FAIL bad expected 0.6"), lines.get(1));
        assertEquals("SKIP other kind score.unheard", lines.get(2));
        assertEquals("SKIP more tensor extra of kind softmax.masked", lines.get(3));
    }

    @Test
    void aDamagedItemFailsAndTheOthersGoOn() throws IOException {
        String text = vectors("a", "0.5 0.5")
                + vectors("b", "0.5 zero")
                + vectors("c", "0.5")
                + vectors("d", "0.5 0.5").replace("end\n", "")
                + vectors("e", "0.5 0.5").replace("kind", "kin")
                + vectors("f", "0.5 0.5")
                + "case g\nkind softmax.masked\n";
        write("classic-vectors.txt", text.getBytes());
        List<Outcome> outcomes = run(root, new ReferenceBackend());
        assertEquals(
                "PASS a, FAIL b, FAIL c, FAIL d, FAIL e, PASS f, FAIL g",
                String.join(
                        ", ",
                        outcomes.stream().map(o -> o.status() + " " + o.name()).toList()));
    }

    @Test
    void aFileNamedAsVectorsWithoutAnyFails() throws IOException {
        write("classic-vectors.txt", new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        assertEquals(Status.FAIL, only().status());
    }

    // ---------------------------------------------------------------- small things

    private static String vectors(String name, String expected) {
        return "case " + name + "\nsource here\nkind softmax.masked\nattr fully_masked zero\ntensor x 1x2 3 3\n"
                + "tensor mask 1x2 1 1\nexpect y 1x2 " + expected + "\ntol rtol 1e-6 atol 1e-6\nend\n";
    }

    private void softmax(String name, float[] expected) throws IOException {
        Map<String, Long> axis = Map.of("axis", -1L);
        write(name + "/model.onnx", ProtoWriter.model("Softmax", 13, axis, List.of("x"), List.of("y"), Map.of()));
        dataSet(name, 0, expected);
    }

    private void dataSet(String name, int set, float[] expected) throws IOException {
        write(name + "/test_data_set_" + set + "/input_0.pb", ProtoWriter.tensor("x", X));
        write(name + "/test_data_set_" + set + "/output_0.pb", ProtoWriter.tensor("y", Tensor.of(expected, 2, 3)));
    }

    private void write(String file, byte[] bytes) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.write(path, bytes);
    }

    private Outcome only() {
        List<Outcome> outcomes = run(root, new ReferenceBackend());
        assertEquals(1, outcomes.size());
        return outcomes.getFirst();
    }

    private static List<Outcome> run(Path directory, AttentionBackend backend) {
        List<Outcome> outcomes = new ArrayList<>();
        ConformanceSuite.of(directory).run(backend, outcomes::add);
        return outcomes;
    }

    /**
     * {@return a backend that supports nothing, for these reasons; if there are none, it claims to support everything}
     */
    private static AttentionBackend stub(String... reasons) {
        return new AnsweringBackend("stub", 0, List.of(), List.of(reasons));
    }
}
