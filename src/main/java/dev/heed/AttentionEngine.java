package dev.heed;

import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Where a composed mechanism sends its attentions: to the automatic choice for each problem, or to one backend. A mechanism
 * that is made of attentions runs wherever they run.
 */
public interface AttentionEngine {
    /** Each attention goes to the backend that its options name, or else to the fastest that can. */
    AttentionEngine AUTOMATIC = new AttentionEngine() {
        @Override
        public AttentionResult forward(AttentionInputs inputs) {
            AttentionResult result = AttentionResult.allocate(inputs.problem());
            Attention.scaledDotProduct(inputs, result);
            return result;
        }

        @Override
        public AttentionGradients backward(
                AttentionInputs inputs, AttentionResult forward, Tensor outputGradient, @Nullable Tensor lseGradient) {
            return Attention.backward(inputs, forward, outputGradient, lseGradient);
        }
    };

    /** {@return the engine that asks one backend, registered or not} */
    static AttentionEngine of(AttentionBackend backend) {
        return new AttentionEngine() {
            @Override
            public AttentionResult forward(AttentionInputs inputs) {
                AttentionResult result = AttentionResult.allocate(inputs.problem());
                try (AttentionPlan plan = backend.plan(inputs.problem())) {
                    plan.forward(inputs, result);
                }
                return result;
            }

            @Override
            public AttentionGradients backward(
                    AttentionInputs inputs,
                    AttentionResult forward,
                    Tensor outputGradient,
                    @Nullable Tensor lseGradient) {
                AttentionGradients gradients = AttentionGradients.allocate(inputs);
                try (AttentionPlan plan = backend.plan(inputs.problem())) {
                    plan.backward(inputs, forward, outputGradient, lseGradient, gradients);
                }
                return gradients;
            }
        };
    }

    /** {@return an attention} */
    AttentionResult forward(AttentionInputs inputs);

    /** {@return the gradients of a loss that depends on the output and, where the gradient is not null, on the LSE} */
    AttentionGradients backward(
            AttentionInputs inputs, AttentionResult forward, Tensor outputGradient, @Nullable Tensor lseGradient);
}
