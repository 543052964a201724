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

/** A probe in a process of its own: what crashes the driver or hangs the device is a line of the report, not its end. */
final class ProbeProcess {
    private static final long SECONDS = 120;
    private static final int LAST_LINES = 3;

    private ProbeProcess() {}

    /** {@return the finding as JSON} */
    static JsonObject run(Probe probe) {
        Path answer = null;
        try {
            answer = Files.createTempFile("heed-probe", ".json");
            String trouble = run(probe, answer);
            String text = Files.readString(answer);
            if (trouble.isEmpty() && !text.isBlank()) {
                return new Gson().fromJson(text, JsonObject.class);
            }
            return broken(probe, trouble.isEmpty() ? "its process said nothing" : trouble);
        } catch (IOException | JsonParseException | IllegalStateException e) {
            return broken(probe, "its process could not be run: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return broken(probe, "interrupted");
        } finally {
            delete(answer);
        }
    }

    private static JsonObject broken(Probe probe, String detail) {
        return ProbeReport.json(Finding.broken(probe.id(), probe.title(), detail));
    }

    /** {@return what went wrong, or nothing} */
    private static String run(Probe probe, Path answer) throws IOException, InterruptedException {
        Path log = Files.createTempFile("heed-probe", ".log");
        try {
            var builder = new ProcessBuilder(command(probe, answer))
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile());
            builder.environment().put("CUDA_CACHE_DISABLE", "1"); // else the compiler of a cached kernel says nothing
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

    private static List<String> command(Probe probe, Path answer) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--add-modules=jdk.incubator.vector");
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("-Dheed.cache=none");
        command.add("-XX:-CreateCoredumpOnCrash");
        System.getProperties().stringPropertyNames().stream()
                .filter(name -> name.startsWith("heed.opencl.") || name.equals("java.io.tmpdir"))
                .forEach(name -> command.add("-D" + name + "=" + System.getProperty(name)));
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(Main.class.getName());
        command.addAll(List.of("devices", DevicesCommand.PROBE_ONE, probe.id(), answer.toString()));
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
