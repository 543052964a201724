package dev.heed.bench;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionPlan;
import dev.heed.AttentionResult;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadWeights;
import dev.heed.Plan;
import dev.heed.backend.opencl.OpenClBackend;
import dev.heed.tensor.DType;
import dev.heed.tensor.DeviceArena;
import dev.heed.tensor.Tensor;
import java.util.List;

/**
 * A contestant that is the OpenCL backend on tensors that are on the device before timing starts and stay there. Only
 * kernels and their launches are timed.
 */
record ResidentHeed(OpenClBackend backend) implements Contestant {

    @Override
    public boolean isHeed() {
        return true;
    }

    @Override
    public Entry enter(Workload workload, int threads) {
        List<String> reasons = backend.notReadyReasons();
        if (!reasons.isEmpty()) {
            throw new IllegalStateException("Backend opencl is not ready: " + String.join("; ", reasons));
        }
        DeviceArena arena = backend.arena();
        return switch (workload) {
            case Workload.Attend a -> attention(arena, a);
            case Workload.Soften s -> {
                var plan = backend.plan(s.problem());
                Tensor input = arena.upload(s.input());
                Tensor output = arena.allocate(DType.F32, s.problem().sizes());
                yield entry(arena, plan, () -> plan.forward(input, output), List.of(output));
            }
            case Workload.MultiHead m -> {
                MultiHeadInputs in = m.inputs();
                MultiHeadWeights w = in.weights();
                var weights = MultiHeadWeights.of(
                                arena.upload(w.query()),
                                arena.upload(w.key()),
                                arena.upload(w.value()),
                                arena.upload(w.output()))
                        .withBiases(
                                arena.upload(w.queryBias()),
                                arena.upload(w.keyBias()),
                                arena.upload(w.valueBias()),
                                arena.upload(w.outputBias()));
                var shape = m.problem().attention().shape();
                Tensor x = arena.upload(in.query());
                MultiHeadInputs inputs =
                        MultiHeadInputs.of(x, x, x, weights, shape.numHeads(), shape.numKvHeads(), in.options());
                var plan = backend.plan(m.problem());
                var result = AttentionResult.allocate(m.problem(), arena::allocate);
                yield entry(arena, plan, () -> plan.forward(inputs, result), List.of(result.output()));
            }
        };
    }

    private Entry attention(DeviceArena arena, Workload.Attend a) {
        AttentionInputs in = a.inputs();
        boolean backward = a.outputGradient() != null;
        AttentionInputs inputs = AttentionInputs.of(
                arena.upload(in.query()),
                arena.upload(in.key()),
                arena.upload(in.value()),
                backward ? in.options().withLse() : in.options());
        AttentionPlan plan = backend.plan(inputs.problem());
        var result = AttentionResult.allocate(inputs.problem(), arena::allocate);
        plan.forward(inputs, result);
        if (!backward) {
            return entry(arena, plan, () -> plan.forward(inputs, result), List.of(result.output()));
        }
        var gradients = AttentionGradients.allocate(inputs, arena::allocate);
        Tensor outputGradient = arena.upload(a.outputGradient());
        return entry(
                arena,
                plan,
                () -> plan.backward(inputs, result, outputGradient, null, gradients),
                List.of(gradients.query(), gradients.key(), gradients.value()));
    }

    /**
     * {@return an entry that waits for its kernels by reading one element back, which suffices because the queue is
     * in-order}
     */
    private Entry entry(DeviceArena arena, Plan<?> plan, Runnable work, List<Tensor> answer) {
        Tensor last = arena.upload(Tensor.zeros(DType.F32, 1));
        return new Entry() {
            @Override
            public void run() {
                work.run();
                last.toHost();
            }

            @Override
            public List<Tensor> answer() {
                work.run();
                return answer.stream().map(Tensor::toHost).toList();
            }

            @Override
            public void close() {
                plan.close();
                arena.close();
                backend.close();
            }
        };
    }
}
