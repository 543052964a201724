package dev.heed.cli;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import dev.heed.probe.Finding;
import dev.heed.probe.Probe;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A command of Heed in a separate process, so that a crashed driver or a hung device is reported in one line and does
 * not end the calling process.
 */
final class ForkedCommand {
    private static final long SECONDS = 120;
    private static final int LAST_LINES = 3;

    private ForkedCommand() {}

    /**
     * The result of a separate process.
     *
     * @param json the JSON that the process wrote, or null if the process failed
     * @param trouble the description of the failure, empty if the process succeeded
     */
    record Answer(@Nullable JsonObject json, String trouble) {}

    /** {@return the finding of a probe, run in its own process, as JSON} */
    static JsonObject run(Probe probe) {
        Answer answer = run(List.of("-Dheed.cache=none"), List.of("devices", DevicesCommand.PROBE_ONE, probe.id()));
        return answer.json() != null
                ? answer.json()
                : ProbeReport.json(Finding.broken(probe.id(), probe.title(), answer.trouble()));
    }

    /**
     * {@return the JSON that a command of Heed writes in a separate process, or the failure}
     *
     * @param properties options of the JVM in addition to the {@code heed.opencl} properties of this process
     * @param arguments the command and its arguments, to which the output file is appended
     */
    static Answer run(List<String> properties, List<String> arguments) {
        Path file = null;
        try {
            file = Files.createTempFile("heed-answer", ".json");
            String trouble = run(properties, arguments, file);
            String text = Files.readString(file);
            if (trouble.isEmpty() && !text.isBlank()) {
                return new Answer(new Gson().fromJson(text, JsonObject.class), "");
            }
            return new Answer(null, trouble.isEmpty() ? "its process printed nothing" : trouble);
        } catch (IOException | JsonParseException | IllegalStateException e) {
            return new Answer(null, "its process could not be run: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Answer(null, "interrupted");
        } finally {
            delete(file);
        }
    }

    /** {@return the description of the failure, empty if the process succeeded} */
    private static String run(List<String> properties, List<String> arguments, Path answer)
            throws IOException, InterruptedException {
        Path log = Files.createTempFile("heed-answer", ".log");
        try {
            var builder = new ProcessBuilder(command(properties, arguments, answer))
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile());
            builder.environment()
                    .put("CUDA_CACHE_DISABLE", "1"); // otherwise a cached kernel is not compiled and prints no messages
            Process process = builder.start();
            process.getOutputStream().close();
            if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
                return "it did not end within " + SECONDS + " seconds";
            }
            if (process.exitValue() == 0) {
                return "";
            }
            List<String> lines = Files.readAllLines(log, StandardCharsets.ISO_8859_1);
            return "its process ended with code " + process.exitValue() + ": "
                    + String.join(" | ", lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size()));
        } finally {
            delete(log);
        }
    }

    private static List<String> command(List<String> properties, List<String> arguments, Path answer) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--add-modules=jdk.incubator.vector");
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("-XX:-CreateCoredumpOnCrash");
        System.getProperties().stringPropertyNames().stream()
                .filter(name -> name.startsWith("heed.opencl.") || name.equals("java.io.tmpdir"))
                .forEach(name -> command.add("-D" + name + "=" + System.getProperty(name)));
        command.addAll(properties);
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(Main.class.getName());
        command.addAll(arguments);
        command.add(answer.toString());
        return command;
    }

    private static void delete(@Nullable Path file) {
        try {
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            file.toFile().deleteOnExit();
        }
    }
}
