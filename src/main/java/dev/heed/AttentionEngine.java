package dev.heed;

import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * An executor of attentions, for mechanisms that are composed of several attentions. An engine either selects a backend for
 * each attention or always uses the same backend.
 */
public interface AttentionEngine {
    /** Computes each attention on the backend that {@link Backends#select(Problem, String)} returns for its options. */
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

    /** {@return an engine that always computes on this backend, which need not be registered in {@link Backends}} */
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

    /** {@return the output of an attention and its requested optional outputs} */
    AttentionResult forward(AttentionInputs inputs);

    /** {@return the gradients of a loss that depends on the output and, unless {@code lseGradient} is null, on the LSE} */
    AttentionGradients backward(
            AttentionInputs inputs, AttentionResult forward, Tensor outputGradient, @Nullable Tensor lseGradient);
}
