package dev.heed.machine;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The model of the processor, as the operating system reports it. */
final class Processor {
    /** Lines of /proc/cpuinfo that name the model. Hypervisors shorten the name; family, model and cache size remain. */
    private static final List<String> FACTS = List.of(
            "vendor_id",
            "cpu family",
            "model",
            "model name",
            "cache size",
            "CPU implementer",
            "CPU variant",
            "CPU part",
            "cpu",
            "uarch");

    private Processor() {}

    /** {@return the model; empty if the system has neither /proc/cpuinfo nor the variable PROCESSOR_IDENTIFIER of Windows} */
    static Optional<String> model() {
        try (BufferedReader lines = Files.newBufferedReader(Path.of("/proc/cpuinfo"), StandardCharsets.ISO_8859_1)) {
            List<String> first = new ArrayList<>();
            for (String line = lines.readLine(); line != null && !line.isBlank(); line = lines.readLine()) {
                first.add(line);
            }
            return model(first);
        } catch (IOException e) {
            return Optional.ofNullable(System.getenv("PROCESSOR_IDENTIFIER")).filter(name -> !name.isBlank());
        }
    }

    /** {@return the model that the lines of one processor in /proc/cpuinfo describe; empty if no line is known} */
    static Optional<String> model(List<String> lines) {
        List<String> facts = new ArrayList<>();
        for (String line : lines) {
            String[] pair = line.split(":", 2);
            if (pair.length == 2 && FACTS.contains(pair[0].strip())) {
                facts.add(pair[0].strip() + " " + pair[1].strip());
            }
        }
        return facts.isEmpty() ? Optional.empty() : Optional.of(String.join(", ", facts));
    }
}
