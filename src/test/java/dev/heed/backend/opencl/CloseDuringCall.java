package dev.heed.backend.opencl;

import dev.heed.AttentionInputs;
import dev.heed.AttentionOptions;
import dev.heed.AttentionPlan;
import dev.heed.AttentionResult;
import dev.heed.RandomTensors;
import dev.heed.opencl.Device;
import dev.heed.opencl.FaultyCalls;
import dev.heed.opencl.OpenCl;
import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/**
 * A program with tensors in a mapped file. Its arena is shared, and another thread closes it during a call of the OpenCL backend.
 * Prints whether the call returned the right output or threw an exception.
 *
 * <p>Arguments: {@code inputs} or {@code output}, the tensors that are in the file; the OpenCL call before which the arena closes;
 * {@code direct} or {@code jocl}, how OpenCL is called.
 */
final class CloseDuringCall {
    private static final long[] SHAPE = {1, 1, 256, 64}; // 64 KiB, which the backend reads in place if it may

    private CloseDuringCall() {}

    public static void main(String[] args) throws IOException {
        Device found = OpenCl.selected().device().orElseThrow();
        Device device = args[2].equals("jocl") ? found.throughJocl() : found;
        FaultyCalls calls = FaultyCalls.counting(device);
        var random = new RandomTensors(7);
        Tensor query = random.normal(DType.F32, SHAPE);
        Tensor key = random.normal(DType.F32, SHAPE);
        Tensor value = random.normal(DType.F32, SHAPE);
        Path file = Files.createTempFile("heed-close", ".bin");
        Arena arena = Arena.ofShared();
        try (OpenClBackend backend = new OpenClBackend(
                        OpenClOptions.DEFAULT,
                        OpenCl.selected(),
                        any -> calls.device(device).open());
                AttentionPlan plan = backend.plan(AttentionInputs.of(query, key, value, AttentionOptions.DEFAULT)
                        .problem())) {
            double[] expected = run(plan, query, key, value, Tensor.zeros(DType.F32, SHAPE));
            boolean inputs = args[0].equals("inputs");
            Tensor[] mapped = map(file, arena, 4);
            Tensor[] given = {query, key, value};
            for (int n = 0; n < given.length; n++) {
                mapped[n].copyFrom(given[n]);
            }
            calls.beforeNext(args[1], () -> close(arena));
            Tensor output = inputs ? Tensor.zeros(DType.F32, SHAPE) : mapped[3];
            try {
                double[] actual = inputs
                        ? run(plan, mapped[0], mapped[1], mapped[2], output)
                        : run(plan, query, key, value, output);
                System.out.println(Arrays.equals(expected, actual) ? "RIGHT" : "WRONG");
            } catch (RuntimeException e) {
                System.out.println("THROWN " + e);
            }
        } finally {
            Files.delete(file);
        }
    }

    private static double[] run(AttentionPlan plan, Tensor query, Tensor key, Tensor value, Tensor output) {
        plan.forward(AttentionInputs.of(query, key, value, AttentionOptions.DEFAULT), AttentionResult.into(output));
        return output.toDoubleArray();
    }

    private static Tensor[] map(Path file, Arena arena, int count) throws IOException {
        long bytes = Arrays.stream(SHAPE).reduce(Float.BYTES, Math::multiplyExact);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MemorySegment all = channel.map(FileChannel.MapMode.READ_WRITE, 0, count * bytes, arena);
            Tensor[] tensors = new Tensor[count];
            Arrays.setAll(tensors, n -> Tensor.of(all.asSlice(n * bytes, bytes), DType.F32, SHAPE));
            return tensors;
        }
    }

    private static void close(Arena arena) {
        Thread other = Thread.ofPlatform().start(() -> {
            try {
                arena.close();
                System.out.println("CLOSED");
            } catch (IllegalStateException e) {
                System.out.println("NOT CLOSED " + e);
            }
        });
        try {
            other.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
