package dev.heed.probe;

import dev.heed.opencl.DeviceBuffer;
import dev.heed.opencl.DeviceContext;
import dev.heed.opencl.Event;
import dev.heed.opencl.Kernel;
import dev.heed.opencl.WorkSize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeSet;

/** Probes of event times, and of the processor time that waiting costs the host. */
final class WaitProbe {
    private static final int SAMPLES = 200;
    private static final long WANTED_NANOS = 400_000_000;
    private static final long FIRST_STEPS = 1 << 20;
    private static final long NANOS_PER_TICK = 10_000_000; // the unit of times in /proc, the same on every Linux
    private static final int USER_TIME = 11; // indices of fields after the command's name
    private static final int SYSTEM_TIME = 12;

    private WaitProbe() {}

    static Finding resolution(DeviceContext context) {
        var seen = new TreeSet<Long>();
        try (Kernel kernel = context.program(Trials.PLAIN, "").kernel("spin");
                DeviceBuffer out = context.allocate(Integer.BYTES)) {
            for (int i = 0; i < SAMPLES; i++) {
                kernel.arguments().buffer(out).int64(100 + i);
                try (Event event = context.profiled().launchWithEvent(kernel, WorkSize.of(1, 1))) {
                    seen.add(event.nanos());
                }
            }
        }
        long step = Long.MAX_VALUE;
        Long last = null;
        for (long nanos : seen) {
            step = last == null ? step : Math.min(step, nanos - last);
            last = nanos;
        }
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("reportedNanos", context.limits().timerResolutionNanos());
        figures.put("distinctTimes", seen.size());
        figures.put("shortestNanos", seen.first());
        if (seen.size() > 1) {
            figures.put("smallestStepNanos", step);
        }
        return Finding.ok("", figures);
    }

    static Finding polling(DeviceContext context) {
        try (DeviceContext asking = context.device().open(true)) {
            return waiting(asking);
        }
    }

    static Finding blocking(DeviceContext context) {
        try (DeviceContext driver = context.device().open(false)) {
            return waiting(driver);
        }
    }

    private static Finding waiting(DeviceContext context) {
        try (Kernel kernel = context.program(Trials.PLAIN, "").kernel("spin");
                DeviceBuffer out = context.allocate(Integer.BYTES)) {
            kernel.arguments().buffer(out).int64(FIRST_STEPS);
            long nanos = Trials.fastest(context, kernel, WorkSize.of(1, 1), 2);
            long steps = Math.max(FIRST_STEPS, (long) (FIRST_STEPS * (WANTED_NANOS / (double) nanos)));
            kernel.arguments().buffer(out).int64(steps);
            OptionalLong before = threadTicks();
            long start = System.nanoTime();
            context.queue().launch(kernel, WorkSize.of(1, 1));
            context.queue().await();
            long waited = System.nanoTime() - start;
            OptionalLong after = threadTicks();
            Map<String, Object> figures = new LinkedHashMap<>();
            figures.put("waitedMillis", waited / 1e6);
            if (before.isPresent() && after.isPresent()) {
                long busy = (after.getAsLong() - before.getAsLong()) * NANOS_PER_TICK;
                figures.put("busyMillis", busy / 1e6);
                figures.put("busyShare", busy / (double) waited);
            }
            return Finding.ok("", figures);
        }
    }

    /** {@return the processor time of this thread in ticks, if the system reports it in /proc} */
    private static OptionalLong threadTicks() {
        try {
            String stat = Files.readString(Path.of("/proc/thread-self/stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            return OptionalLong.of(Long.parseLong(fields[USER_TIME]) + Long.parseLong(fields[SYSTEM_TIME]));
        } catch (IOException | RuntimeException e) {
            return OptionalLong.empty();
        }
    }
}
