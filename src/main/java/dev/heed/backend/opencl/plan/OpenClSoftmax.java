package dev.heed.backend.opencl.plan;

import dev.heed.SoftmaxPlan;
import dev.heed.SoftmaxProblem;
import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.Results;
import dev.heed.backend.opencl.device.StorageCode;
import dev.heed.opencl.DeviceBuffer;
import dev.heed.opencl.WorkSize;
import dev.heed.tensor.DType;
import dev.heed.tensor.DeviceMemory;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The plan of a softmax on an OpenCL device. Rows are packed and cut into chunks of up to 16384 elements. The first launch
 * computes a state of two values per chunk (see {@code softmax.cl}), and the second launch writes the results.
 */
public final class OpenClSoftmax extends SoftmaxPlan {
    private static final long GPU_GROUP = 64;
    private static final long LONGEST_CHUNK = 16384;

    private final Engine engine;
    private final long length;

    public OpenClSoftmax(SoftmaxProblem problem, Engine engine) {
        super(problem);
        this.engine = engine;
        this.length = problem.sizes()[problem.axis()];
    }

    @Override
    public String describe() {
        return "opencl softmax, " + engine.context.device().name();
    }

    @Override
    protected boolean reaches(DeviceMemory memory) {
        return engine.reaches(memory);
    }

    @Override
    protected void runForward(Tensor input, Tensor output) {
        engine.guarded(problem(), () -> weigh(input, output));
    }

    private void weigh(Tensor input, Tensor output) {
        try (var results = new Results(engine)) {
            new Pass("softmax_states", "softmax_write").run(rows(results.of(output)), rows(input));
            results.deliver();
        }
    }

    @Override
    protected void runBackward(Tensor output, Tensor outputGradient, Tensor inputGradient) {
        engine.guarded(problem(), () -> propagate(output, outputGradient, inputGradient));
    }

    private void propagate(Tensor output, Tensor outputGradient, Tensor inputGradient) {
        try (var results = new Results(engine)) {
            new Pass("softmax_gradient_sums", "softmax_gradient")
                    .run(rows(results.of(inputGradient)), rows(output), rows(outputGradient));
            results.deliver();
        }
    }

    private Tensor rows(Tensor tensor) {
        return tensor.transpose(problem().axis(), -1);
    }

    private String options(CallScope scope) {
        boolean lanes = engine.family == Engine.Family.LANES;
        return "-DSTORAGE=" + StorageCode.of(problem().type()) + scope.realOption() + " -DLOGARITHM="
                + (problem().log() ? 1 : 0)
                + (lanes ? " -DGROUP=1 -DLANES=" + engine.lanes(scope.f64) : " -DLANES=1 -DGROUP=" + GPU_GROUP);
    }

    /** {@return the maximum elements of a chunk} */
    private long chunk() {
        return Math.min(length, LONGEST_CHUNK);
    }

    private WorkSize groups(long count, long row) {
        long group = engine.family == Engine.Family.LANES ? 1 : GPU_GROUP;
        return WorkSize.groups(count / row * Math.ceilDiv(row, chunk()), group);
    }

    /** Two launches, the first for states, the second for results. If the rows do not fit the device, each piece has both. */
    private final class Pass {
        private final String states;
        private final String results;

        Pass(String states, String results) {
            this.states = states;
            this.results = results;
        }

        /** Runs the pass. The last axis of all tensors must be the axis of the softmax. */
        void run(Tensor to, Tensor... from) {
            int axis = longest(to);
            if (from[0].device() != null || fits(to.elementCount(), from.length)) {
                together(to, from);
            } else if (axis >= 0) {
                long middle = to.size(axis) / 2;
                run(to.slice(axis, 0, middle), slices(from, axis, 0, middle));
                run(to.slice(axis, middle, to.size(axis)), slices(from, axis, middle, to.size(axis)));
            } else {
                apart(to, from);
            }
        }

        private boolean fits(long count, int inputs) {
            long element = problem().type().bytes();
            long rowStates = 2 * Math.ceilDiv(length, chunk()) * Math.ceilDiv(count, length) * Double.BYTES;
            return engine.hasRoom((inputs + 1) * count * element + rowStates, Math.max(count * element, rowStates));
        }

        /** {@return the longest axis, except the last one, with more than one index; -1 if there is only one row} */
        private static int longest(Tensor rows) {
            int longest = -1;
            for (int axis = 0; axis < rows.rank() - 1; axis++) {
                if (rows.size(axis) > 1 && (longest < 0 || rows.size(axis) > rows.size(longest))) {
                    longest = axis;
                }
            }
            return longest;
        }

        private static Tensor[] slices(Tensor[] tensors, int axis, long from, long to) {
            return Arrays.stream(tensors)
                    .map(tensor -> tensor.slice(axis, from, to))
                    .toArray(Tensor[]::new);
        }

        private CallScope scope() {
            return new CallScope(engine, problem().type() == DType.F64);
        }

        private void together(Tensor to, Tensor... from) {
            try (CallScope scope = scope()) {
                DeviceBuffer[] inputs = upload(scope, from);
                DeviceBuffer rowStates =
                        states(scope, inputs, to.elementCount(), length).buffer();
                DeviceTensor computed = scope.allocate(problem().type(), to.shape());
                write(scope, inputs, rowStates, computed, length);
                Results.read(scope, computed, to);
            }
        }

        /** Computes a row that does not fit, in pieces of whole chunks. Each piece is read twice; states stay on the device. */
        private void apart(Tensor to, Tensor... from) {
            int axis = to.rank() - 1;
            long chunks = Math.ceilDiv(length, chunk());
            long inAPiece = chunks;
            while (inAPiece > 1 && !fits(inAPiece * chunk(), from.length)) {
                inAPiece = Math.ceilDiv(inAPiece, 2L);
            }
            long step = inAPiece * chunk();
            try (CallScope all = scope()) {
                DeviceTensor merged = all.allocate(all.real(), chunks, 2);
                for (long n = 0; n < length; n += step) {
                    try (CallScope scope = scope()) {
                        long end = Math.min(length, n + step);
                        DeviceTensor some = states(scope, upload(scope, slices(from, axis, n, end)), end - n, end - n);
                        scope.copy(some, merged.slice(0, n / chunk(), Math.ceilDiv(end, chunk())));
                    }
                }
                for (long n = 0; n < length; n += step) {
                    try (CallScope scope = scope()) {
                        Tensor target = to.slice(axis, n, Math.min(length, n + step));
                        DeviceBuffer[] inputs = upload(scope, slices(from, axis, n, n + target.size(axis)));
                        DeviceTensor computed = scope.allocate(problem().type(), target.shape());
                        write(scope, inputs, merged.buffer(), computed, target.size(axis));
                        Results.read(scope, computed, target);
                    }
                }
            }
        }

        private DeviceBuffer[] upload(CallScope scope, Tensor... from) {
            return Arrays.stream(from)
                    .map(tensor -> scope.upload(tensor, problem().type()).buffer())
                    .toArray(DeviceBuffer[]::new);
        }

        /** {@return the states of all chunks, {@code [chunks, 2]}; {@code softmax.cl} describes the two values} */
        private DeviceTensor states(CallScope scope, DeviceBuffer[] inputs, long count, long row) {
            DeviceTensor rowStates = scope.allocate(scope.real(), count / row * Math.ceilDiv(row, chunk()), 2);
            List<Object> arguments = new ArrayList<>(List.of(inputs));
            arguments.addAll(List.of(rowStates.buffer(), row, chunk()));
            scope.launch("softmax", options(scope), states, groups(count, row), arguments.toArray());
            return rowStates;
        }

        private void write(
                CallScope scope, DeviceBuffer[] inputs, DeviceBuffer rowStates, DeviceTensor computed, long row) {
            List<Object> arguments = new ArrayList<>(List.of(inputs));
            arguments.addAll(List.of(rowStates, computed.buffer(), row, chunk(), Math.ceilDiv(length, chunk())));
            scope.launch("softmax", options(scope), results, groups(computed.count(), row), arguments.toArray());
        }
    }
}
