package dev.heed.cli.explain;

import dev.heed.cli.console.ErrorLine;
import dev.heed.storage.Npy;
import dev.heed.storage.Npz;
import dev.heed.storage.SafeTensors;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The weights in a file that another program wrote: .npy, .npz, safetensors, or BertViz's JSON. The first bytes
 * determine the format.
 *
 * @param kind the format
 * @param entries the entries by name, in the order of the file
 */
record WeightsFile(String kind, Map<String, Entry> entries) {

    /**
     * The weights of one entry, with labels.
     *
     * @param weights the weights; the last two axes are queries and keys
     * @param rows a label for each query, or empty
     * @param columns a label for each key, or empty
     */
    record Entry(Tensor weights, List<String> rows, List<String> columns) {
        private static Entry of(Tensor weights) {
            return new Entry(weights, List.of(), List.of());
        }
    }

    static WeightsFile read(Path file) {
        byte[] start = start(file);
        Map<String, Entry> entries = new LinkedHashMap<>();
        if (begins(start, 0x93, 'N')) {
            entries.put(String.valueOf(file.getFileName()), Entry.of(Npy.read(file)));
            return new WeightsFile("npy", entries);
        }
        if (begins(start, 'P', 'K')) {
            Npz.read(file).forEach((name, tensor) -> entries.put(name, Entry.of(tensor)));
            return new WeightsFile("npz", entries);
        }
        if (begins(start, '{') || begins(start, '<')) {
            int number = 0;
            for (BertViz.Block block : BertViz.read(file)) {
                String name = block.name() == null ? "attention " + number : block.name();
                number++;
                entries.put(name, new Entry(block.weights(), block.left(), block.right()));
            }
            return new WeightsFile("bertviz", entries);
        }
        if (start.length > 8 && start[8] == '{') {
            SafeTensors.read(file).forEach((name, tensor) -> entries.put(name, Entry.of(tensor)));
            return new WeightsFile("safetensors", entries);
        }
        throw new InvalidInputException(
                "This is not a file of weights",
                ".npy, .npz, safetensors or the JSON of BertViz",
                start.length == 0 ? "an empty file" : "a file with another beginning",
                "np.save(\"weights.npy\", weights)");
    }

    private static byte[] start(Path file) {
        try (InputStream stream = Files.newInputStream(file)) {
            return stream.readNBytes(9);
        } catch (IOException e) {
            throw new InvalidInputException(
                    "The file cannot be read", "a readable file", ErrorLine.file(e), "check the path");
        }
    }

    private static boolean begins(byte[] start, int... bytes) {
        for (int i = 0; i < bytes.length; i++) {
            if (start.length <= i || (start[i] & 0xFF) != bytes[i]) {
                return false;
            }
        }
        return true;
    }

    /**
     * {@return the entry to draw}
     *
     * @param name the name of the entry, or null for the only drawable entry
     * @throws InvalidInputException if there is no such entry, the entry cannot be drawn, or {@code name} is null and
     *     there is not exactly one drawable entry
     */
    Map.Entry<String, Entry> choose(@Nullable String name) {
        List<String> drawable = entries.keySet().stream()
                .filter(key -> isDrawable(entries.get(key)))
                .toList();
        String asked = name != null ? name : drawable.size() == 1 ? drawable.getFirst() : null;
        Optional<Map.Entry<String, Entry>> found = entries.entrySet().stream()
                .filter(entry -> entry.getKey().equals(asked))
                .findFirst();
        if (found.isEmpty()) {
            throw new InvalidInputException(
                    name == null
                            ? "The file does not contain exactly one matrix of weights"
                            : "The file contains no such tensor",
                    drawable.isEmpty() ? "a tensor of one to four axes" : "one of " + String.join(", ", drawable),
                    name == null ? drawable.size() + " to choose from" : name,
                    drawable.isEmpty() ? "--list shows the tensors" : "--name \"" + drawable.getFirst() + "\"");
        }
        if (!isDrawable(found.get().getValue())) {
            throw new InvalidInputException(
                    "This is not a matrix of weights",
                    "numbers along one to four axes: [layers, heads, queries, keys]",
                    found.get().getValue().weights().toString(),
                    "--list shows the tensors");
        }
        return found.get();
    }

    static boolean isDrawable(@Nullable Entry entry) {
        return entry != null
                && entry.weights().rank() >= 1
                && entry.weights().rank() <= 4
                && entry.weights().type() != DType.BOOL;
    }
}
