package dev.heed.backend.opencl.score;

import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.HostSums;
import dev.heed.backend.opencl.device.Results;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The gradients of a score function's parameters. If a call is a single chunk, its gradients are written to the targets directly;
 * the gradients of several chunks are added up on the host.
 */
public final class ParameterGradients {
    private final Map<String, Tensor> targets;
    private final @Nullable Map<String, HostSums> sums;

    /**
     * Sets all gradients to zero.
     *
     * @param targets the tensors that gather the gradients
     * @param chunked whether the call has several chunks
     */
    public ParameterGradients(CallScope scope, ScoreFunction targets, boolean chunked) {
        this.targets = targets.parameters();
        Map<String, HostSums> all = chunked ? new LinkedHashMap<>() : null;
        this.targets.forEach((name, target) -> {
            if (all != null) {
                all.put(name, new HostSums(target.shape()));
            } else if (target.device() != null) {
                scope.fillZeros(scope.resident(target));
            } else {
                target.fill(0);
            }
        });
        this.sums = all;
    }

    public void add(CallScope scope, ParameterSlice parameter, DeviceTensor computed) {
        if (sums != null) {
            HostSums of = sums.get(parameter.name());
            if (of != null) {
                HostSums.add(scope, computed, parameter.cut().apply(of.all()));
            }
            return;
        }
        Tensor target = targets.get(parameter.name());
        if (target != null) {
            Results.read(
                    scope,
                    scope.converted(computed, target.type()),
                    parameter.cut().apply(target));
        }
    }

    public void deliver(CallScope scope) {
        if (sums != null) {
            sums.forEach((name, of) -> {
                Tensor target = targets.get(name);
                if (target != null) {
                    of.deliver(scope, target);
                }
            });
        }
    }
}
