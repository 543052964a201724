import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Writes the Java methods of the native functions, from the list {@code HEED_FUNCTIONS} in {@code native/heed.h}. From the root of the
 * checkout:
 *
 * <pre>
 * java src/generator/java/NativeSources.java
 * </pre>
 *
 * <p>An argument names another root folder for the file. The committed file is this output, byte for byte; GeneratedSourcesTest compares
 * them.
 */
class NativeSources extends SourceText {
    private static final Path HEADER = Path.of("native/heed.h");

    private static final Pattern LIST = Pattern.compile("#define HEED_FUNCTIONS\\(K\\)((?:.*\\\\\\R)*.*)");

    private static final Pattern FUNCTION = Pattern.compile("\\s*K\\((\\w+), (\\w+),\\s*\\(([^()]*)\\)\\)\\s*");

    private static final Pattern PARAMETER = Pattern.compile("((?:const )?\\w+ \\*?)(\\w+)");

    /** The types of C that functions return or receive, and their letters in {@code native/README.md}. */
    private enum Type {
        NOTHING("void", 'v'),
        POINTER("MemorySegment", 'p'),
        LONG("long", 'l'),
        INT("int", 'i'),
        FLOAT("float", 'f');

        final String java;
        final char letter;

        Type(String java, char letter) {
            this.java = java;
            this.letter = letter;
        }

        static Type of(String c) {
            return switch (c) {
                case "void" -> NOTHING;
                case "int64_t" -> LONG;
                case "int32_t" -> INT;
                case "float" -> FLOAT;
                case "const uint16_t *", "uint16_t *", "const int8_t *", "const float *", "float *" -> POINTER;
                default -> throw new IllegalArgumentException(HEADER + ": no Java type is known for " + c);
            };
        }
    }

    private record Parameter(Type type, String name) {}

    private record Function(Type result, String name, List<Parameter> parameters) {
        String constant() {
            return name.toUpperCase(Locale.ROOT);
        }

        /** {@return the letters of the parameters} */
        String letters() {
            return parameters.stream().map(p -> "" + p.type.letter).collect(Collectors.joining());
        }
    }

    static void main(String[] arguments) throws IOException {
        List<Function> functions = functions(Files.readString(HEADER));
        write(folder(arguments).resolve("ffi/NativeFunctions.java"), new NativeSources().nativeFunctions(functions));
    }

    /** {@return the functions of the header} Text in the list that is not a function is an error. */
    private static List<Function> functions(String header) {
        Matcher list = LIST.matcher(header);
        if (!list.find()) {
            throw new IllegalArgumentException(HEADER + ": no list HEED_FUNCTIONS");
        }
        String entries = list.group(1).replaceAll("\\\\\\R", " ");
        List<Function> functions = new ArrayList<>();
        Matcher function = FUNCTION.matcher(entries);
        int end = 0;
        for (; function.find(end) && function.start() == end; end = function.end()) {
            functions.add(new Function(
                    Type.of(function.group(1)),
                    function.group(2),
                    Arrays.stream(function.group(3).split(","))
                            .map(NativeSources::parameter)
                            .toList()));
        }
        if (functions.isEmpty() || end != entries.length()) {
            throw new IllegalArgumentException(
                    HEADER + ": expected K(result, NAME, (parameters)): " + entries.substring(end));
        }
        return functions;
    }

    private static Parameter parameter(String c) {
        Matcher parameter = PARAMETER.matcher(c.strip().replaceAll("\\s+", " "));
        if (!parameter.matches()) {
            throw new IllegalArgumentException(HEADER + ": not a parameter: " + c);
        }
        String type = parameter.group(1);
        return new Parameter(Type.of(type.endsWith("*") ? type : type.strip()), camelCase(parameter.group(2)));
    }

    private static String camelCase(String name) {
        return Pattern.compile("_(.)")
                .matcher(name)
                .replaceAll(letter -> letter.group(1).toUpperCase(Locale.ROOT));
    }

    private String nativeFunctions(List<Function> functions) {
        text.append("""
                // Written by src/generator/java/NativeSources.java; change that file and run it.
                package dev.heed.ffi;

                import java.lang.foreign.MemorySegment;
                import java.lang.invoke.MethodHandle;

                /**
                 * The functions of {@code native/heed.h}, with the names and the order of their parameters. The functions do not check their
                 * arguments; {@link NativeKernels} checks them before each call.
                 */
                final class NativeFunctions {
                """);
        for (Function function : functions) {
            list(
                    1,
                    "static final MethodHandle " + function.constant() + " = NativeLink.function(",
                    List.of(
                            "'" + function.result.letter + "'",
                            '"' + function.name + '"',
                            '"' + function.letters() + '"'),
                    ");");
        }
        line(0, "");
        line(1, "private NativeFunctions() {}");
        functions.forEach(this::method);
        return text.append("}\n").toString();
    }

    private void method(Function function) {
        line(0, "");
        line(1, "/** Calls {@code heed_" + function.name + "}. */");
        method(
                1,
                "static " + function.result.java + " " + camelCase(function.name),
                function.parameters.stream()
                        .map(p -> p.type.java + " " + p.name)
                        .toList());
        line(2, "try {");
        String call = function.constant() + ".invokeExact";
        call(
                3,
                function.result == Type.NOTHING ? call : "return (" + function.result.java + ") " + call,
                function.parameters.stream().map(Parameter::name).toList());
        line(2, "} catch (Throwable e) {");
        line(3, "throw NativeLink.unexpected(e);");
        line(2, "}");
        line(1, "}");
    }
}
