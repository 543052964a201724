package dev.heed.backend.opencl.device;

import dev.heed.opencl.KernelSource;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The kernel files with their headers inlined, because a driver compiles a single text and cannot open included files. */
final class KernelFile {
    private static final Pattern INCLUDE = Pattern.compile("(?m)^#include \"([a-z_/]+\\.h)\"$");
    private static final Map<String, KernelSource> WHOLE = new ConcurrentHashMap<>();

    private KernelFile() {}

    /** {@return the source of {@code kernels/NAME.cl} with its headers inlined} */
    static KernelSource named(String name) {
        return WHOLE.computeIfAbsent(
                name + ".cl", file -> new KernelSource(file, whole(KernelSource.resource(file), new HashSet<>())));
    }

    /** Inlines each header once, where it is first included. */
    private static String whole(KernelSource source, Set<String> included) {
        Matcher include = INCLUDE.matcher(source.text());
        var text = new StringBuilder();
        while (include.find()) {
            String header = include.group(1);
            String body = included.add(header) ? whole(KernelSource.resource(header), included) : "";
            include.appendReplacement(text, Matcher.quoteReplacement(body));
        }
        return include.appendTail(text).toString();
    }
}
