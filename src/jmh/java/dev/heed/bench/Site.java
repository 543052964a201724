package dev.heed.bench;

import com.google.gson.JsonObject;
import dev.heed.machine.Machine;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The machine and the library versions of a benchmark run. */
final class Site {
    private static final Pattern JAR =
            Pattern.compile("/(pytorch|pytorch-native-cpu|onnxruntime|jmh-core)-(\\d[\\w.-]*?)\\.jar");

    private Site() {}

    /** {@return the processor, its cores and the Java version, on one line} */
    static String line() {
        Machine machine = Machine.current();
        return cpu() + ", " + machine.cores() + " cores, JDK " + Runtime.version();
    }

    static JsonObject json() {
        Machine machine = Machine.current();
        var json = new JsonObject();
        json.addProperty("date", LocalDate.now().toString());
        json.addProperty("cpu", cpu());
        json.addProperty("cores", machine.cores());
        json.addProperty("system", machine.system());
        json.addProperty("jdk", System.getProperty("java.vm.name") + " " + Runtime.version());
        json.addProperty("loadAverageAtEnd", load());
        var versions = new JsonObject();
        Matcher jar = JAR.matcher(System.getProperty("java.class.path").replace('\\', '/'));
        while (jar.find()) {
            if (!versions.has(jar.group(1))) {
                versions.addProperty(jar.group(1), jar.group(2));
            }
        }
        json.add("versions", versions);
        return json;
    }

    static double load() {
        return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    }

    /**
     * {@return the processor as Linux names it, with family and model number because hypervisors shorten the name;
     * elsewhere the architecture}
     */
    private static String cpu() {
        try {
            Map<String, String> facts = Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                    .filter(line -> line.contains(":"))
                    .map(line -> line.split(":", 2))
                    .collect(
                            Collectors.toMap(pair -> pair[0].strip(), pair -> pair[1].strip(), (first, next) -> first));
            return facts.getOrDefault("model name", System.getProperty("os.arch")) + " (family "
                    + facts.getOrDefault("cpu family", "?") + " model " + facts.getOrDefault("model", "?") + ")";
        } catch (IOException e) {
            return System.getProperty("os.arch");
        }
    }
}
