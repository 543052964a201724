package dev.heed.opencl;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * The source of kernels: a file in OpenCL C.
 *
 * @param file the name of the file, for messages
 * @param text the content of the file
 */
public record KernelSource(String file, String text) {
    /**
     * Reads a file of {@code src/main/resources/kernels}.
     *
     * @param file the name of the file, for example {@code fill.cl}
     */
    public static KernelSource resource(String file) {
        try (InputStream in = KernelSource.class.getResourceAsStream("/kernels/" + file)) {
            if (in == null) {
                throw new IllegalArgumentException("the jar has no kernels/" + file);
            }
            return new KernelSource(file, new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException("kernels/" + file + " cannot be read", e);
        }
    }
}
