package dev.heed.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionResult;
import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tests the check before timing: a correct answer passes, and an output or LSE that is 10 % too large or a doubled
 * gradient fails.
 */
class SampleCheckTest {
    @ParameterizedTest
    @CsvSource({"F32,false", "F32,true", "F16,true", "BF16,false"})
    void seesWhatIsWrong(DType type, boolean causal) {
        var random = new Random(9);
        AttentionOptions options = AttentionOptions.DEFAULT.withLse();
        Tensor query = numbers(random, type, 4, 40);
        Tensor key = numbers(random, type, 2, 50);
        Tensor value = numbers(random, type, 2, 50);
        Tensor outputGradient = numbers(random, type, 4, 40);
        var inputs = AttentionInputs.of(query, key, value, causal ? options.causal() : options);
        var result = AttentionResult.allocate(inputs.problem());
        var gradients = AttentionGradients.allocate(inputs);
        try (var plan = new ReferenceBackend().plan(inputs.problem())) {
            plan.forward(inputs, result);
            plan.backward(inputs, result, outputGradient, null, gradients);
        }
        assertEquals(Optional.empty(), forward(inputs, result));
        assertEquals(Optional.empty(), backward(inputs, result, outputGradient, gradients));
        double much = 1.1;
        for (Tensor wrong : new Tensor[] {result.output(), Objects.requireNonNull(result.lse())}) {
            Tensor right = wrong.copy();
            scale(wrong, much);
            assertTrue(forward(inputs, result).isPresent());
            wrong.copyFrom(right);
        }
        for (Tensor wrong : new Tensor[] {gradients.query(), gradients.key(), gradients.value()}) {
            Tensor right = wrong.copy();
            scale(wrong, 2);
            assertTrue(backward(inputs, result, outputGradient, gradients).isPresent());
            wrong.copyFrom(right);
        }
        assertEquals(Optional.empty(), backward(inputs, result, outputGradient, gradients));
    }

    private static Optional<String> forward(AttentionInputs in, AttentionResult result) {
        return new SampleCheck(in, in.query(), in.key(), in.value(), result).forward();
    }

    private static Optional<String> backward(
            AttentionInputs in, AttentionResult result, Tensor outputGradient, AttentionGradients gradients) {
        return new SampleCheck(in, in.query(), in.key(), in.value(), result).backward(outputGradient, gradients);
    }

    private static void scale(Tensor tensor, double factor) {
        for (long at = 0; at < tensor.elementCount(); at++) {
            tensor.put(at, tensor.at(at) * factor);
        }
    }

    private static Tensor numbers(Random random, DType type, int heads, int rows) {
        float[] numbers = new float[heads * rows * 32];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return Tensor.of(numbers, 1, heads, rows, 32).to(type);
    }
}
