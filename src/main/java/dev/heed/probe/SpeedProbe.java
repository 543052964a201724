package dev.heed.probe;

import dev.heed.opencl.CommandQueue;
import dev.heed.opencl.DeviceBuffer;
import dev.heed.opencl.DeviceContext;
import dev.heed.opencl.DeviceType;
import dev.heed.opencl.Event;
import dev.heed.opencl.Kernel;
import dev.heed.opencl.PinnedMemory;
import dev.heed.opencl.WorkSize;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;

/** Probes of speed: copies, launches, memory and arithmetic. Each speed and each time is the best of several runs. */
final class SpeedProbe {
    private static final long COPIED = 64L << 20;
    private static final int RUNS = 5;
    private static final int LAUNCHES = 10_000;
    private static final long STREAMED = 256L << 20;
    private static final long GROUP = 256;
    private static final int SUMS = 64;
    private static final int FLOPS = 2;

    private SpeedProbe() {}

    static Finding copies(DeviceContext context) {
        long bytes = Math.min(COPIED, context.limits().maxAllocationBytes());
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("bytes", bytes);
        CommandQueue queue = context.queue();
        try (DeviceBuffer buffer = context.allocate(bytes);
                PinnedMemory pinned = context.pin(bytes);
                Arena arena = Arena.ofConfined()) {
            MemorySegment pageable = arena.allocate(bytes, 4096);
            MemorySegment heap = MemorySegment.ofArray(new byte[(int) bytes]);
            pageable.fill((byte) 1);
            figures.put("pinnedToDeviceGBs", rate(bytes, () -> await(queue.writeLater(buffer, 0, pinned.memory()))));
            figures.put("deviceToPinnedGBs", rate(bytes, () -> await(queue.readLater(buffer, 0, pinned.memory()))));
            figures.put("pageableToDeviceGBs", rate(bytes, () -> await(queue.writeLater(buffer, 0, pageable))));
            figures.put("deviceToPageableGBs", rate(bytes, () -> await(queue.readLater(buffer, 0, pageable))));
            figures.put("nativeByHeedGBs", rate(bytes, () -> {
                queue.write(buffer, 0, pageable);
                queue.await();
            }));
            figures.put("heapByHeedGBs", rate(bytes, () -> {
                queue.write(buffer, 0, heap);
                queue.await();
            }));
            figures.put("toHeapByHeedGBs", rate(bytes, () -> queue.read(buffer, 0, heap)));
        }
        return Finding.ok("", figures);
    }

    private static void await(Event event) {
        try (event) {
            event.await();
        }
    }

    /** {@return gigabytes per second in the fastest run} */
    private static double rate(long bytes, Runnable copy) {
        return bytes / (double) fastest(copy);
    }

    private static long fastest(Runnable work) {
        long best = Long.MAX_VALUE;
        for (int run = 0; run < RUNS; run++) {
            long start = System.nanoTime();
            work.run();
            best = Math.min(best, System.nanoTime() - start);
        }
        return best;
    }

    static Finding launches(DeviceContext context) {
        Map<String, Object> figures = new LinkedHashMap<>();
        if (context.device().isDirect()) {
            launches(context, "direct", figures);
        }
        try (DeviceContext jocl = context.device().throughJocl().open()) {
            launches(jocl, "jocl", figures);
        }
        return Finding.ok("", figures);
    }

    /**
     * Launches an empty kernel with one changing argument. Measures nanoseconds to set an argument, to enqueue a launch, per
     * launch until all launches are done, and from a single launch to the end of its wait.
     */
    private static void launches(DeviceContext context, String name, Map<String, Object> figures) {
        CommandQueue queue = context.queue();
        try (Kernel kernel = context.program(Trials.PLAIN, "").kernel("nothing")) {
            long enqueued = Long.MAX_VALUE;
            long done = Long.MAX_VALUE;
            long alone = Long.MAX_VALUE;
            for (int run = 0; run < RUNS; run++) {
                long start = System.nanoTime();
                for (int i = 0; i < LAUNCHES; i++) {
                    queue.launch(kernel.arguments().int32(i), WorkSize.of(1, 1));
                }
                enqueued = Math.min(enqueued, System.nanoTime() - start);
                queue.await();
                done = Math.min(done, System.nanoTime() - start);
            }
            for (int run = 0; run < LAUNCHES / 10; run++) {
                long start = System.nanoTime();
                queue.launch(kernel.arguments().int32(run), WorkSize.of(1, 1));
                queue.await();
                alone = Math.min(alone, System.nanoTime() - start);
            }
            long arguments = fastest(() -> {
                for (int i = 0; i < LAUNCHES; i++) {
                    kernel.arguments().int32(i);
                }
            });
            figures.put(name + "ArgumentNanos", arguments / (double) LAUNCHES);
            figures.put(name + "EnqueueNanos", enqueued / (double) LAUNCHES);
            figures.put(name + "ThroughputNanos", done / (double) LAUNCHES);
            figures.put(name + "RoundTripNanos", alone);
        }
    }

    static Finding memory(DeviceContext context) {
        long bytes = Math.min(
                STREAMED,
                Math.min(context.limits().maxAllocationBytes(), context.limits().globalBytes() / 4));
        long vectors = bytes / (4 * Float.BYTES);
        try (Kernel kernel = context.program(Trials.PLAIN, isCpu(context) ? "-DSTRETCHES" : "")
                        .kernel("copy");
                DeviceBuffer from = Trials.zeros(context, vectors * 4 * Float.BYTES);
                DeviceBuffer to = Trials.zeros(context, vectors * 4 * Float.BYTES)) {
            kernel.arguments().buffer(from).buffer(to).int64(vectors);
            long nanos = Trials.fastest(context, kernel, WorkSize.groups(groups(context), group(context)), RUNS);
            Map<String, Object> figures = new LinkedHashMap<>();
            figures.put("bytes", vectors * 4 * Float.BYTES);
            figures.put("readAndWrittenGBs", 2.0 * vectors * 4 * Float.BYTES / nanos);
            return Finding.ok("", figures);
        }
    }

    static Finding arithmetic(DeviceContext context) {
        int steps = 2048;
        WorkSize size = WorkSize.groups(groups(context), group(context));
        try (Kernel kernel = context.program(Trials.PLAIN, "").kernel("fma64");
                DeviceBuffer out = Trials.zeros(context, size.globalX() * Float.BYTES)) {
            kernel.arguments().buffer(out).float32(0.999f).float32(1e-3f).int32(steps);
            long nanos = Trials.fastest(context, kernel, size, RUNS);
            Map<String, Object> figures = new LinkedHashMap<>();
            figures.put("workItems", size.globalX());
            figures.put("gflops", (double) FLOPS * SUMS * steps * size.globalX() / nanos);
            return Finding.ok("", figures);
        }
    }

    private static boolean isCpu(DeviceContext context) {
        return context.device().type() == DeviceType.CPU;
    }

    private static long group(DeviceContext context) {
        return isCpu(context) ? 1 : Math.min(GROUP, context.limits().maxWorkGroupSize());
    }

    private static long groups(DeviceContext context) {
        long perUnit = isCpu(context) ? 1 : 32;
        return perUnit * context.limits().computeUnits();
    }
}
