package dev.heed.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Compares the ABI table of {@code native/README.md} with the C header and with the Java side. */
class KernelTableTest {
    private static final Path NATIVE = Path.of("native");

    /** Matches a row of the table of functions; its second group is the result and the parameters. */
    private static final String FUNCTION = "\\| `(\\w+)` \\| ((?:nothing|`i`) \\| `[plif ]+`) \\|.*";

    @Test
    void javaCallsWhatTheTableSays() throws Exception {
        Map<String, String> linked = new TreeMap<>();
        for (Field field : NativeFunctions.class.getDeclaredFields()) {
            if (field.getType() == MethodHandle.class) {
                MethodType type = ((MethodHandle) field.get(null)).type();
                String letters = type.parameterList().stream()
                        .map(KernelTableTest::letter)
                        .collect(Collectors.joining());
                linked.put(field.getName().toLowerCase(Locale.ROOT), row(letter(type.returnType()), letters));
            }
        }
        assertEquals(table(FUNCTION), linked);
    }

    private static String letter(Class<?> type) {
        return Map.of(MemorySegment.class, "p", long.class, "l", int.class, "i", float.class, "f", void.class, "")
                .getOrDefault(type, type.getName());
    }

    private static String row(String result, String letters) {
        return (result.isEmpty() ? "nothing" : "`" + result + "`") + "|`" + letters + "`";
    }

    @Test
    void theHeaderDeclaresWhatTheTableSays() throws IOException {
        String header = read("heed.h").replaceAll("\\\\\\n", " ").replaceAll("\\s+", " ");
        Map<String, String> declared = new TreeMap<>();
        Matcher functions =
                Pattern.compile("K\\((void|int32_t), (\\w+), ?\\(([^)]*)\\)\\)").matcher(header);
        while (functions.find()) {
            StringBuilder letters = new StringBuilder();
            for (String parameter : functions.group(3).split(",")) {
                String type = parameter.strip();
                letters.append(
                        type.contains("*")
                                ? "p"
                                : type.startsWith("int64_t") ? "l" : type.startsWith("int32_t") ? "i" : "f");
            }
            String result = functions.group(1).equals("void") ? "" : "i";
            declared.put(functions.group(2), row(result, letters.toString()));
        }
        assertEquals(table(FUNCTION), declared);
    }

    @Test
    void numbersAreTheSame() throws IOException {
        String header = read("heed.h");
        assertEquals(NativeLibrary.ABI, constant(header, "HEED_ABI"));
        assertEquals(NativeKernels.LANES, constant(header, "HEED_LANES"));
        assertEquals(NativeKernels.LIMBS, constant(header, "HEED_LIMBS"));
        assertTrue(read("README.md").contains("\nVersion " + NativeLibrary.ABI + ". "));
        Map<String, String> bits = new TreeMap<>();
        for (NativeFeature feature : NativeFeature.values()) {
            bits.put(feature.name(), String.valueOf(feature.bit));
            assertEquals(feature.bit, constant(header, "HEED_" + feature.name()));
        }
        for (NativeLevel level : NativeLevel.values()) {
            bits.put(level.name(), String.valueOf(level.bit));
            assertEquals(level.bit, constant(header, "HEED_" + level.name()));
        }
        assertEquals(bits, table("\\| `([A-Z0-9_]+)` \\| (\\d+) \\|.*"));
    }

    private static int constant(String header, String name) {
        Matcher matcher = Pattern.compile("#define " + name + " (\\d+)").matcher(header);
        assertTrue(matcher.find(), name);
        return Integer.parseInt(matcher.group(1));
    }

    private static Map<String, String> table(String row) throws IOException {
        Map<String, String> rows = new TreeMap<>();
        for (String line : read("README.md").lines().toList()) {
            Matcher matcher = Pattern.compile(row).matcher(line);
            if (matcher.matches()) {
                rows.put(matcher.group(1), matcher.group(2).replaceAll(" ", ""));
            }
        }
        assertTrue(!rows.isEmpty(), row);
        return rows;
    }

    private static String read(String file) throws IOException {
        return Files.readString(NATIVE.resolve(file));
    }
}
