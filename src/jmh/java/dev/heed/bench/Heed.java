package dev.heed.bench;

import dev.heed.AttentionBackend;
import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionPlan;
import dev.heed.AttentionResult;
import dev.heed.Plan;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.List;
import java.util.function.IntFunction;

/** A contestant that is a backend of Heed, with tensors in the memory of the host. */
record Heed(IntFunction<AttentionBackend> backends) implements Contestant {

    @Override
    public boolean isHeed() {
        return true;
    }

    @Override
    public Entry enter(Workload workload, int threads) {
        AttentionBackend backend = backends.apply(threads);
        List<String> reasons = backend.notReadyReasons();
        if (!reasons.isEmpty()) {
            throw new IllegalStateException(
                    "Backend " + backend.name() + " is not ready: " + String.join("; ", reasons));
        }
        return switch (workload) {
            case Workload.Attend a -> a.outputGradient() == null ? forward(backend, a) : backward(backend, a);
            case Workload.Soften s -> {
                var plan = backend.plan(s.problem());
                Tensor output = Tensor.zeros(DType.F32, s.problem().sizes());
                yield entry(backend, plan, () -> plan.forward(s.input(), output), List.of(output));
            }
            case Workload.MultiHead m -> {
                var plan = backend.plan(m.problem());
                var result = AttentionResult.allocate(m.problem());
                yield entry(backend, plan, () -> plan.forward(m.inputs(), result), List.of(result.output()));
            }
        };
    }

    private static Entry forward(AttentionBackend backend, Workload.Attend a) {
        AttentionPlan plan = backend.plan(a.problem());
        var result = AttentionResult.allocate(a.problem());
        return entry(backend, plan, () -> plan.forward(a.inputs(), result), List.of(result.output()));
    }

    private static Entry backward(AttentionBackend backend, Workload.Attend a) {
        AttentionInputs in = a.inputs();
        AttentionOptions options = in.options().withLse(); // a training loop keeps the LSE for the backward pass
        AttentionInputs inputs = AttentionInputs.of(in.query(), in.key(), in.value(), options);
        AttentionPlan plan = backend.plan(inputs.problem());
        var result = AttentionResult.allocate(inputs.problem());
        plan.forward(inputs, result);
        var gradients = AttentionGradients.allocate(inputs);
        Tensor outputGradient = a.outputGradient();
        return entry(
                backend,
                plan,
                () -> plan.backward(inputs, result, outputGradient, null, gradients),
                List.of(gradients.query(), gradients.key(), gradients.value()));
    }

    private static Entry entry(AttentionBackend backend, Plan<?> plan, Runnable work, List<Tensor> answer) {
        return new Entry() {
            @Override
            public void run() {
                work.run();
            }

            @Override
            public List<Tensor> answer() {
                work.run();
                return answer;
            }

            @Override
            public void close() {
                plan.close();
                backend.close();
            }
        };
    }
}
