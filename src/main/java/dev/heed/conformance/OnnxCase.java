package dev.heed.conformance;

import dev.heed.AttentionBackend;
import dev.heed.onnx.OnnxModel;
import dev.heed.onnx.OnnxNode;
import dev.heed.onnx.OnnxTensor;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A directory in the layout of ONNX node tests: {@code model.onnx} with one node, and one or more directories {@code
 * test_data_set_<n>}. A data set has a file {@code input_<i>.pb} for each input of the node that is not an initializer,
 * and a file {@code output_<i>.pb} for each output. Files are numbered in the order in which the node first names the
 * values; omitted values have no file.
 *
 * @param name the path of the directory, relative to the suite
 * @param directory the path of the directory
 */
record OnnxCase(String name, Path directory) implements ConformanceCase {
    static final String MODEL = "model.onnx";
    static final String DATA_SET = "test_data_set_";

    @Override
    public Outcome run(AttentionBackend backend) {
        var comparison = new Comparison();
        try {
            OnnxModel model = OnnxModel.read(directory.resolve(MODEL));
            OnnxNode node = onlyNode(model);
            NodeOperator operator = NodeOperator.of(node);
            if (operator == null) {
                String domain = node.domain().isEmpty() ? "" : node.domain() + ".";
                throw new NotCoveredException("operator " + domain + node.opType());
            }
            for (Path dataSet : dataSets()) {
                compare(model, node, operator, dataSet, backend, comparison);
            }
        } catch (NotCoveredException e) {
            return Outcome.skip(name, String.valueOf(e.getMessage()));
        } catch (InvalidInputException e) {
            comparison.fail(e.oneLine());
        } catch (IOException | RuntimeException e) {
            comparison.fail("no exception expected, got " + e);
        }
        return comparison.outcome(name);
    }

    private static OnnxNode onlyNode(OnnxModel model) {
        if (model.nodes().isEmpty()) {
            throw new InvalidInputException("The model is empty", "one node", "none", "fetch the case again");
        }
        if (model.nodes().size() > 1) {
            throw new NotCoveredException("a graph of " + model.nodes().size() + " nodes");
        }
        return model.nodes().getFirst();
    }

    private List<Path> dataSets() throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            List<Path> found = entries.filter(entry -> fileName(entry).matches(DATA_SET + "[0-9]{1,9}"))
                    .filter(Files::isDirectory)
                    .sorted(Comparator.comparingInt(OnnxCase::number))
                    .toList();
            if (found.isEmpty()) {
                throw new InvalidInputException(
                        "The case has no data", DATA_SET + "0", "no such directory", "fetch the case again");
            }
            return found;
        }
    }

    private static void compare(
            OnnxModel model,
            OnnxNode node,
            NodeOperator operator,
            Path dataSet,
            AttentionBackend backend,
            Comparison comparison)
            throws IOException {
        Map<String, OnnxTensor> known = new HashMap<>(model.initializers());
        known.putAll(read(dataSet, "input_", slots(node.inputs(), model)));
        List<@Nullable OnnxTensor> inputs = new ArrayList<>();
        for (String input : node.inputs()) {
            inputs.add(input.isEmpty() ? null : known.get(input));
        }
        Map<String, OnnxTensor> expected = read(dataSet, "output_", slots(node.outputs(), null));
        if (expected.isEmpty()) {
            throw new InvalidInputException("The node has no outputs", "one or more", "none", "fetch the case again");
        }
        List<NodeOperator.@Nullable Computed> computed = operator.compute(node, model.opset(node), inputs, backend);
        for (int i = 0; i < node.outputs().size(); i++) {
            OnnxTensor wanted = expected.get(node.outputs().get(i));
            if (wanted != null) {
                NodeOperator.Computed got = i < computed.size() ? computed.get(i) : null;
                if (got == null) {
                    throw new NotCoveredException("output " + i + " of operator " + node.opType());
                }
                Tensor tensor = wanted.tensor();
                Tolerance tolerance = got.exact() ? Tolerance.EXACT : Tolerance.of(tensor.type());
                comparison.add(node.outputs().get(i) + " in " + fileName(dataSet), tensor, got.tensor(), tolerance);
            }
        }
    }

    /** {@return the names of the values that have files: each name once, without the initializers of the model} */
    private static List<String> slots(List<String> values, @Nullable OnnxModel model) {
        return values.stream()
                .filter(value -> !value.isEmpty())
                .filter(value -> model == null || !model.initializers().containsKey(value))
                .distinct()
                .toList();
    }

    /** Reads the input or output files. Files that name their tensors after the values may be in any order. */
    private static Map<String, OnnxTensor> read(Path dataSet, String prefix, List<String> slots) throws IOException {
        List<OnnxTensor> tensors = new ArrayList<>();
        for (int i = 0; i < slots.size(); i++) {
            tensors.add(OnnxTensor.read(dataSet.resolve(prefix + i + ".pb")));
        }
        Path next = dataSet.resolve(prefix + slots.size() + ".pb");
        if (Files.exists(next)) {
            throw new InvalidInputException(
                    fileName(dataSet) + " does not fit the node",
                    slots.size() + " files for " + slots,
                    "also " + fileName(next),
                    "fetch the case again");
        }
        var names = new HashSet<String>();
        tensors.forEach(tensor -> names.add(tensor.name()));
        boolean named = names.size() == slots.size() && names.containsAll(slots);
        Map<String, OnnxTensor> values = new HashMap<>();
        for (int i = 0; i < slots.size(); i++) {
            values.put(named ? tensors.get(i).name() : slots.get(i), tensors.get(i));
        }
        return values;
    }

    private static int number(Path dataSet) {
        return Integer.parseInt(fileName(dataSet).substring(DATA_SET.length()));
    }

    private static String fileName(Path path) {
        return String.valueOf(path.getFileName());
    }
}
