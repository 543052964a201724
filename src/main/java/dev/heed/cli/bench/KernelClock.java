package dev.heed.cli.bench;

import dev.heed.AttentionGradients;
import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionProblem;
import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.backend.opencl.OpenClBackend;
import dev.heed.backend.opencl.OpenClBackend.KernelTime;
import dev.heed.cli.console.CommandFailure;
import dev.heed.tensor.DType;
import dev.heed.tensor.DeviceArena;
import dev.heed.tensor.Tensor;
import dev.heed.verify.Case;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** A clock for the kernels of attention on device tensors; it checks some rows of the results before timing. */
final class KernelClock {
    private static final int POOL = 1 << 20;
    private static final int CHUNK = 1 << 12;
    private static final int WARM_UPS = 3;
    private static final int FEWEST = 5;
    private static final long ENOUGH_NANOS = 1_500_000_000;

    private final OpenClBackend backend;
    private final int most;
    private @Nullable Data data;

    /**
     * Creates a clock.
     *
     * @param most maximum timed calls per row
     */
    KernelClock(OpenClBackend backend, int most) {
        this.backend = backend;
        this.most = most;
    }

    /**
     * The times of a row.
     *
     * @param nanos the total kernel time of each call in nanoseconds, in the order of the calls
     * @param kernels the kernels of the last call with the total nanoseconds of each, in the order of their first
     *     launches
     */
    record Times(List<Long> nanos, Map<String, Long> kernels) {
        Times {
            nanos = List.copyOf(nanos);
        }
    }

    /** Inputs and gradient of the output on the host, kept for a next row of the same sizes and type. */
    private record Data(String key, Tensor query, Tensor ks, Tensor value, Tensor outputGradient) {}

    /**
     * Checks and times one row.
     *
     * @throws CommandFailure if a result is wrong
     */
    Times time(Case row) {
        AttentionProblem p = (AttentionProblem) row.problem();
        Data host = data(p);
        try (DeviceArena arena = backend.arena()) {
            AttentionOptions options = AttentionOptions.DEFAULT.withLse();
            options = p.maskPattern().equals("none") ? options : options.causal();
            options = p.tf32() ? options.withTf32() : options;
            var inputs = AttentionInputs.of(
                    arena.upload(host.query()), arena.upload(host.ks()), arena.upload(host.value()), options);
            try (var plan = backend.plan(inputs.problem())) {
                var result = AttentionResult.allocate(inputs.problem(), arena::allocate);
                plan.forward(inputs, result);
                var check = new SampleCheck(inputs, host.query(), host.ks(), host.value(), result);
                refuse(row, check.forward());
                if (!row.backward()) {
                    return times(() -> plan.forward(inputs, result));
                }
                var gradients = AttentionGradients.allocate(inputs, arena::allocate);
                Tensor outputGradient = arena.upload(host.outputGradient());
                plan.backward(inputs, result, outputGradient, null, gradients);
                refuse(row, check.backward(host.outputGradient(), gradients));
                return times(() -> plan.backward(inputs, result, outputGradient, null, gradients));
            }
        }
    }

    private static void refuse(Case row, Optional<String> wrong) {
        wrong.ifPresent(what -> {
            throw new CommandFailure(row + ": " + what);
        });
    }

    private Times times(Runnable call) {
        for (int run = 0; run < WARM_UPS; run++) {
            call.run();
        }
        List<Long> nanos = new ArrayList<>();
        Map<String, Long> kernels = new LinkedHashMap<>();
        long all = 0;
        while (nanos.size() < most && (nanos.size() < FEWEST || all < ENOUGH_NANOS)) {
            long sum = 0;
            kernels.clear();
            for (KernelTime time : backend.timed(call)) {
                kernels.merge(time.kernel(), time.nanos(), Long::sum);
                sum += time.nanos();
            }
            nanos.add(sum);
            all += sum;
        }
        return new Times(nanos, kernels);
    }

    private Data data(AttentionProblem p) {
        AttentionShape s = p.shape();
        String key = s + " " + p.type();
        Data known = data;
        if (known == null || !known.key().equals(key)) {
            data = null; // frees its memory
            var random = new SplittableRandom(17);
            float[] pool = new float[POOL];
            for (int i = 0; i < POOL; i++) {
                pool[i] = (float) (Math.sqrt(3) * (2 * random.nextDouble() - 1)); // variance 1
            }
            Tensor numbers = Tensor.of(pool, POOL).to(p.type());
            known = new Data(
                    key,
                    filled(numbers, random, s.batch(), s.numHeads(), s.seqLenQ(), s.headDim()),
                    filled(numbers, random, s.batch(), s.numKvHeads(), s.seqLenKv(), s.headDim()),
                    filled(numbers, random, s.batch(), s.numKvHeads(), s.seqLenKv(), s.valueHeadDim()),
                    filled(numbers, random, s.batch(), s.numHeads(), s.seqLenQ(), s.valueHeadDim()));
            data = known;
        }
        return Objects.requireNonNull(known);
    }

    /** {@return a tensor of random pieces of the pool, because drawing every element would take longer than timing} */
    private static Tensor filled(Tensor pool, SplittableRandom random, long... shape) {
        Tensor filled = Tensor.zeros(pool.type(), shape);
        DType type = pool.type();
        for (long at = 0; at < filled.elementCount(); at += CHUNK) {
            long count = Math.min(CHUNK, filled.elementCount() - at);
            long from = random.nextLong(POOL - count + 1);
            MemorySegment.copy(
                    pool.segment(), from * type.bytes(), filled.segment(), at * type.bytes(), count * type.bytes());
        }
        return filled;
    }
}
