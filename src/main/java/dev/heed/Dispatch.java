package dev.heed;

import dev.heed.tensor.Tensor;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The recording of one run of a plan by the JDK Flight Recorder. While {@value DispatchEvent#NAME} is not recorded,
 * {@link #begin} only reads a flag and returns null. Without the module {@code jdk.jfr} it always returns null, and
 * {@link DispatchEvent} is never loaded.
 */
final class Dispatch {
    private static final boolean JFR_PRESENT = ModuleLayer.boot()
            .findModule("jdk.jfr")
            .map(Dispatch.class.getModule()::canRead)
            .orElse(false);

    private final DispatchEvent event;

    private Dispatch(DispatchEvent event) {
        this.event = event;
    }

    static @Nullable Dispatch begin() {
        if (!JFR_PRESENT || !DispatchEvent.isRecorded()) {
            return null;
        }
        var event = new DispatchEvent();
        event.begin();
        return new Dispatch(event);
    }

    /** Ends the time measurement and commits the event. A run that throws commits no event. */
    void end(
            Plan<?> plan,
            String operation,
            List<? extends @Nullable Tensor> inputs,
            List<? extends @Nullable Tensor> outputs) {
        event.end();
        if (event.shouldCommit()) {
            event.plan = plan.describe();
            event.backend = event.plan.split(" ", 2)[0];
            event.operation = operation;
            event.problem = plan.problem().toString();
            event.inputBytes = bytes(inputs);
            event.outputBytes = bytes(outputs);
            event.commit();
        }
    }

    /**
     * {@return the bytes of the tensors' elements} A tensor that is passed twice is counted once. An axis of stride 0 is
     * counted as size 1.
     */
    private static long bytes(List<? extends @Nullable Tensor> tensors) {
        Set<Tensor> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        long bytes = 0;
        for (Tensor tensor : tensors) {
            if (tensor != null && seen.add(tensor)) {
                long elements = 1;
                for (int axis = 0; axis < tensor.rank(); axis++) {
                    elements *= tensor.stride(axis) == 0 ? 1 : tensor.size(axis);
                }
                bytes += elements * tensor.type().bytes();
            }
        }
        return bytes;
    }
}
