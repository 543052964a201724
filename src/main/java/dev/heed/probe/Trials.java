package dev.heed.probe;

import dev.heed.opencl.CommandQueue;
import dev.heed.opencl.DeviceBuffer;
import dev.heed.opencl.DeviceContext;
import dev.heed.opencl.Event;
import dev.heed.opencl.Kernel;
import dev.heed.opencl.KernelSource;
import dev.heed.opencl.WorkSize;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** Shared steps of probes: reading sources, moving data, and timing kernels. */
final class Trials {
    static final KernelSource PLAIN = source("plain.cl");

    private Trials() {}

    static KernelSource source(String file) {
        try (InputStream in = Trials.class.getResourceAsStream("/probes/" + file)) {
            if (in == null) {
                throw new IllegalStateException("the jar has no probes/" + file);
            }
            return new KernelSource(file, new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException("probes/" + file + " cannot be read", e);
        }
    }

    static DeviceBuffer upload(DeviceContext context, MemorySegment content) {
        DeviceBuffer buffer = context.allocate(content.byteSize());
        context.queue().write(buffer, 0, content);
        return buffer;
    }

    static DeviceBuffer zeros(DeviceContext context, long bytes) {
        DeviceBuffer buffer = context.allocate(bytes);
        context.queue().fill(buffer, 0, bytes, 0);
        return buffer;
    }

    static int[] ints(DeviceContext context, DeviceBuffer buffer) {
        int[] content = new int[(int) (buffer.bytes() / Integer.BYTES)];
        context.queue().read(buffer, 0, MemorySegment.ofArray(content));
        return content;
    }

    static float[] floats(DeviceContext context, DeviceBuffer buffer) {
        float[] content = new float[(int) (buffer.bytes() / Float.BYTES)];
        context.queue().read(buffer, 0, MemorySegment.ofArray(content));
        return content;
    }

    /** {@return the shortest time of {@code runs} runs after a warm-up run, in nanoseconds by the device's clock} */
    static long fastest(DeviceContext context, Kernel kernel, WorkSize size, int runs) {
        CommandQueue queue = context.profiled();
        long best = Long.MAX_VALUE;
        for (int run = 0; run <= runs; run++) {
            try (Event event = queue.launchWithEvent(kernel, size)) {
                long nanos = event.nanos();
                best = run == 0 ? best : Math.min(best, Math.max(1, nanos));
            }
        }
        return best;
    }

    /** {@return at most the first {@code lines} lines of a text} */
    static String begin(String text, int lines) {
        return String.join("\n", text.strip().lines().limit(lines).toList());
    }
}
