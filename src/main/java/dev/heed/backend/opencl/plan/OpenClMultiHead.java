package dev.heed.backend.opencl.plan;

import dev.heed.AttentionResult;
import dev.heed.AttentionShape;
import dev.heed.MultiHeadGradients;
import dev.heed.MultiHeadInputs;
import dev.heed.MultiHeadPlan;
import dev.heed.MultiHeadProblem;
import dev.heed.MultiHeadWeights;
import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.Chunk;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.Engine;
import dev.heed.backend.opencl.device.Results;
import dev.heed.backend.opencl.kernels.AttentionCall;
import dev.heed.backend.opencl.kernels.BackwardKernels;
import dev.heed.backend.opencl.kernels.DeviceMask;
import dev.heed.backend.opencl.kernels.ForwardKernels;
import dev.heed.backend.opencl.product.MatrixProduct;
import dev.heed.backend.opencl.product.Projection;
import dev.heed.backend.opencl.score.LoweredFootprint;
import dev.heed.backend.opencl.score.Lowering;
import dev.heed.backend.opencl.score.ParameterGradients;
import dev.heed.score.ScoreFunction;
import dev.heed.tensor.DType;
import dev.heed.tensor.DeviceMemory;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The plan of multi-head attention on an OpenCL device. Intermediate results stay on the device and are not rounded to the
 * storage type, except for bf16 operands of matrix units (see {@link MatrixProduct#roundedForProjection}).
 */
public final class OpenClMultiHead extends MultiHeadPlan {
    private final Engine engine;

    public OpenClMultiHead(MultiHeadProblem problem, Engine engine) {
        super(problem);
        this.engine = engine;
    }

    @Override
    public String describe() {
        return "opencl multi-head attention, " + engine.context.device().name();
    }

    @Override
    protected boolean reaches(DeviceMemory memory) {
        return engine.reaches(memory);
    }

    @Override
    protected void runForward(MultiHeadInputs inputs, AttentionResult result) {
        engine.guarded(problem(), () -> attend(inputs, result));
    }

    private void attend(MultiHeadInputs inputs, AttentionResult result) {
        if (inputs.query().device() == null && !fits(false)) {
            try (var results = new Results(engine)) {
                new ChunkedMultiHead(engine, problem(), inputs).forward(result, results);
                results.deliver();
            }
            return;
        }
        try (var results = new Results(engine);
                var scope = new CallScope(engine, problem().attention().type() == DType.F64)) {
            var layer = new Layer(scope, inputs);
            DeviceTensor output =
                    scope.allocate(problem().attention().type(), problem().outputShape());
            DeviceTensor weight = scope.upload(inputs.weights().output());
            DeviceTensor to = Projection.matrix(output);
            layer.projection.multiply(
                    MatrixProduct.roundedForProjection(scope, Projection.matrix(layer.joined), weight, to),
                    weight,
                    layer.real(inputs.weights().outputBias()),
                    to);
            Results.read(scope, output, results.of(result.output()));
            ChunkedForward.writeStatistics(scope, layer.statistics, result, layer.call.chunk, results);
            ChunkedForward.writeOptional(layer.call, layer.statistics, result, layer.call.chunk, results, null);
            results.deliver();
        }
    }

    /** {@return whether the tensors of the layer and of the inner attention, and one product's scratch memory, fit the device} */
    private boolean fits(boolean backward) {
        MultiHeadProblem p = problem();
        AttentionShape s = p.attention().shape();
        boolean f64 = p.attention().type() == DType.F64;
        long element = f64 ? Double.BYTES : Float.BYTES; // upper bound
        long rowsQ = s.batch() * s.seqLenQ();
        long rowsKv = s.batch() * s.seqLenKv();
        long[][] products = {
            {rowsQ, p.embedQ(), s.numHeads() * s.headDim()},
            {rowsKv, p.embedK(), s.numKvHeads() * s.keyHeadDim()},
            {rowsKv, p.embedV(), s.numKvHeads() * s.valueHeadDim()},
            {rowsQ, s.numHeads() * s.valueHeadDim(), p.embedOut()}
        };
        long bytes = 0;
        long largest = 0;
        long scratch = 0;
        for (long[] product : products) {
            long rows = product[0];
            long in = product[1];
            long out = product[2];
            bytes += (rows * in + in * out + 2 * rows * out + out) * element * (backward ? 3 : 1);
            largest = Math.max(largest, Math.max(rows * Math.max(in, out), in * out) * element);
            scratch = Math.max(scratch, Projection.scratch(engine, f64, rows, out, in));
            if (backward) {
                scratch = Math.max(scratch, Projection.scratch(engine, f64, rows, in, out));
                scratch = Math.max(scratch, Projection.scratch(engine, f64, in, out, rows));
            }
        }
        var whole = Chunk.whole(s);
        var footprint = new Footprint(engine, p.attention(), f64 ? DType.F64 : DType.F32);
        bytes += footprint.total(whole) * (backward ? 2 : 1);
        if (backward && p.attention().biasShape() != null) {
            bytes += 2 * s.batch() * s.numHeads() * s.seqLenQ() * s.seqLenKv() * element;
        }
        if (backward) {
            bytes += new LoweredFootprint(engine, s, p.attention().score(), f64 ? DType.F64 : DType.F32).backward();
        }
        return engine.hasRoom(bytes + scratch, Math.max(Math.max(largest, scratch), footprint.largest(whole)));
    }

    /** The forward pass up to the output of the heads: input projections and inner attention. */
    private final class Layer {
        final CallScope scope;
        final Projection projection;
        final AttentionCall call;
        final DeviceTensor joined;
        final ForwardKernels.Statistics statistics;

        Layer(CallScope scope, MultiHeadInputs in) {
            this.scope = scope;
            this.projection = new Projection(scope);
            AttentionShape s = problem().attention().shape();
            MultiHeadWeights w = in.weights();
            Chunk chunk = Chunk.whole(s);
            var lowering = new Lowering(in.options().score(), chunk);
            this.call = new AttentionCall(
                    scope,
                    chunk,
                    in.options(),
                    DeviceMask.of(in.options().mask(), s),
                    lowering.queries(
                            scope,
                            projected(in.query(), w.query(), w.queryBias()).heads(s.numHeads())),
                    lowering.keys(
                            scope, projected(in.key(), w.key(), w.keyBias()).heads(s.numKvHeads())),
                    lowering.values(
                            scope,
                            projected(in.value(), w.value(), w.valueBias()).heads(s.numKvHeads())));
            this.joined = scope.allocate(scope.real(), s.batch(), s.seqLenQ(), s.numHeads() * s.valueHeadDim());
            this.statistics = ForwardKernels.run(call, joined.heads(s.numHeads()));
        }

        private DeviceTensor projected(Tensor x, Tensor w, @Nullable Tensor bias) {
            DeviceTensor y = scope.allocate(scope.real(), x.size(0), x.size(1), w.size(1));
            DeviceTensor rows = Projection.matrix(scope.upload(x, x.type()));
            projection.multiply(rows, scope.upload(w), real(bias), Projection.matrix(y));
            return y;
        }

        @Nullable
        DeviceTensor real(@Nullable Tensor tensor) {
            return tensor == null ? null : scope.upload(tensor, scope.real());
        }
    }

    @Override
    protected void runBackward(MultiHeadInputs inputs, Tensor outputGradient, MultiHeadGradients gradients) {
        engine.guarded(problem(), () -> propagate(inputs, outputGradient, gradients));
    }

    private void propagate(MultiHeadInputs inputs, Tensor outputGradient, MultiHeadGradients gradients) {
        if (inputs.query().device() == null && !fits(true)) {
            try (var results = new Results(engine)) {
                new ChunkedMultiHead(engine, problem(), inputs).backward(outputGradient, gradients, results);
                results.deliver();
            }
            return;
        }
        try (var results = new Results(engine);
                var scope = new CallScope(engine, problem().attention().type() == DType.F64)) {
            var layer = new Layer(scope, inputs);
            AttentionShape s = problem().attention().shape();
            MultiHeadWeights w = inputs.weights();
            MultiHeadWeights dw = gradients.weights();
            var writer = new Gradients(layer, results);
            DeviceTensor dOutput = Projection.matrix(scope.upload(outputGradient, outputGradient.type()));
            DeviceTensor joined = Projection.matrix(layer.joined);
            writer.parameters(joined, dOutput, dw.output(), dw.outputBias());
            DeviceTensor dJoined =
                    scope.allocate(scope.real(), s.batch(), s.seqLenQ(), s.numHeads() * s.valueHeadDim());
            layer.projection.multiply(
                    dOutput, Projection.transposed(scope.upload(w.output())), null, Projection.matrix(dJoined));
            ScoreFunction score = results.ofNullable(gradients.score());
            ParameterGradients parameters = score == null ? null : new ParameterGradients(scope, score, false);
            AttentionCall call = layer.call;
            var backward = BackwardKernels.of(call, dJoined.heads(s.numHeads()), null, parameters, null);
            DeviceTensor query = backward.query();
            DeviceTensor dQuery = call.queryRows.back(query);
            writer.project(inputs.query(), w.query(), dQuery, gradients.query(), dw.query(), dw.queryBias());
            BackwardKernels.KeyGradients keys = backward.keys();
            DeviceTensor dKey = call.keyRows.back(keys.key());
            writer.project(inputs.key(), w.key(), dKey, gradients.key(), dw.key(), dw.keyBias());
            DeviceTensor dValue = call.valueRows.back(keys.value());
            writer.project(inputs.value(), w.value(), dValue, gradients.value(), dw.value(), dw.valueBias());
            if (parameters != null) {
                call.queryRows.parameters(query, parameters);
                call.keyRows.parameters(keys.key(), parameters);
                backward.parameterGradient(parameters);
            }
            Tensor bias = gradients.bias();
            if (bias != null) {
                Results.read(scope, scope.converted(backward.bias(), bias.type()), results.of(bias));
            }
            Tensor sink = gradients.sink();
            if (sink != null) {
                Results.read(scope, scope.converted(backward.sink(), sink.type()), results.of(sink));
            }
            results.deliver();
        }
    }

    /** The backward pass of {@code y = x W + b}: {@code dx = dy W', dW = x' dy, db = sum dy} (' transposes). */
    private static final class Gradients {
        private final Layer layer;
        private final CallScope scope;
        private final Results results;

        Gradients(Layer layer, Results results) {
            this.layer = layer;
            this.scope = layer.scope;
            this.results = results;
        }

        void project(Tensor x, Tensor w, DeviceTensor dHeads, Tensor dx, Tensor dw, @Nullable Tensor db) {
            DeviceTensor dy = joined(dHeads);
            DeviceTensor deviceDx = scope.allocate(dx.type(), dx.shape());
            layer.projection.multiply(dy, Projection.transposed(scope.upload(w)), null, Projection.matrix(deviceDx));
            Results.read(scope, deviceDx, results.of(dx));
            parameters(Projection.matrix(scope.upload(x, x.type())), dy, dw, db);
        }

        void parameters(DeviceTensor x, DeviceTensor dy, Tensor dw, @Nullable Tensor db) {
            DeviceTensor product = scope.allocate(dw.type(), dw.shape());
            layer.projection.multiply(Projection.transposed(x), dy, null, product);
            Results.read(scope, product, results.of(dw));
            if (db != null) {
                DeviceTensor sums = scope.allocate(db.type(), db.shape());
                layer.projection.columnSums(dy, sums);
                Results.read(scope, sums, results.of(db));
            }
        }

        /** {@return a copy of {@code [batch, heads, sequence, headDim]} as a matrix whose rows join all heads of a position} */
        private DeviceTensor joined(DeviceTensor heads) {
            DeviceTensor rows =
                    scope.allocate(scope.real(), heads.size(0), heads.size(2), heads.size(1) * heads.size(3));
            scope.copy(heads, rows.heads(heads.size(1)));
            return Projection.matrix(rows);
        }
    }
}
