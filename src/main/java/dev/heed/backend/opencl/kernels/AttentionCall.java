package dev.heed.backend.opencl.kernels;

import dev.heed.AttentionOptions;
import dev.heed.AttentionShape;
import dev.heed.backend.opencl.device.Arguments;
import dev.heed.backend.opencl.device.CallScope;
import dev.heed.backend.opencl.device.Chunk;
import dev.heed.backend.opencl.device.DeviceTensor;
import dev.heed.backend.opencl.device.MatrixForm;
import dev.heed.backend.opencl.device.MatrixTiles;
import dev.heed.backend.opencl.device.StorageCode;
import dev.heed.backend.opencl.score.LoweredRows;
import dev.heed.backend.opencl.score.Lowering;
import dev.heed.backend.opencl.score.ParameterSlice;
import dev.heed.opencl.DeviceBuffer;
import dev.heed.opencl.DeviceType;
import dev.heed.score.ScoreKind;
import dev.heed.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The arguments of the kernels for an attention, or for a chunk of it: tensors on the device, the mask, and the modifiers of the
 * scores (softcap, bias, ALiBi).
 *
 * <p>Without modifiers and with a scale of 0 or more, kernels do not scale the scores. The exponential of a score s in a row with
 * maximum m is 2^((s - m) factor), where the factor is scale log2(e). Except in {@linkplain MatrixForm#folded folded} programs,
 * m is subtracted before the multiplication, so that huge scores do not overflow.
 */
public final class AttentionCall {
    private static final int LONGS = 67;
    private static final int REALS = 5;
    private static final double LOG2E = 1 / Math.log(2);
    private static final double TWO_TO_32 = 0x1p32;

    /** Limits of a scale that is included in the factor: far enough from the limits of f32, 2^-126 and 2^128. */
    private static final double MIN_UNIT = 0x1p-100;

    private static final double MAX_UNIT = 0x1p100;

    public final CallScope scope;
    public final Chunk chunk;
    final Lowering lowering;
    public final LoweredRows queryRows;
    public final LoweredRows keyRows;
    public final LoweredRows valueRows;
    final DeviceTensor query;
    final DeviceTensor key;
    final DeviceTensor value;
    public final AttentionOptions options;

    final UploadedMask mask;

    /** The cells of the bias: like the next three fields, a buffer that is passed to kernels. */
    final DeviceBuffer biasCells;

    final DeviceBuffer slopes;
    final DeviceBuffer sinks;
    final DeviceBuffer scoreParameter;

    private final AttentionShape shape;
    private final @Nullable DeviceTensor parameter;

    private final boolean modified;
    private final double scale;
    private final @Nullable DeviceTensor bias;

    public AttentionCall(
            CallScope scope,
            Chunk chunk,
            AttentionOptions options,
            DeviceMask mask,
            LoweredRows query,
            LoweredRows key,
            LoweredRows value) {
        this.scope = scope;
        this.chunk = chunk;
        this.options = options;
        this.lowering = new Lowering(options.score(), chunk);
        this.shape = lowering.shape();
        this.queryRows = query;
        this.keyRows = key;
        this.valueRows = value;
        this.query = query.rows();
        this.key = key.rows();
        this.value = value.rows();
        ParameterSlice slice = lowering.scoreParameter();
        this.parameter = slice == null ? null : slice.upload(scope, scope.real());
        this.scoreParameter = parameter == null ? scope.nothing() : parameter.buffer();
        this.scale = options.score().scale(chunk.whole().headDim());
        this.modified = options.softcap() != null
                || options.bias() != null
                || options.alibiSlopes() != null
                || !(scale >= MIN_UNIT && scale <= MAX_UNIT);
        this.mask = new UploadedMask(scope, mask, chunk);
        Tensor biasTensor = options.bias();
        this.bias = biasTensor == null ? null : scope.upload(chunk.cells(biasTensor), scope.real());
        this.biasCells = bias == null ? scope.nothing() : bias.buffer();
        this.slopes = perHead(options.alibiSlopes());
        this.sinks = perHead(options.sink());
    }

    /** Copies a call and replaces its queries, keys and values. */
    private AttentionCall(AttentionCall of, DeviceTensor query, DeviceTensor key, DeviceTensor value) {
        this.scope = of.scope;
        this.chunk = of.chunk;
        this.options = of.options;
        this.lowering = of.lowering;
        this.shape = of.shape;
        this.queryRows = of.queryRows;
        this.keyRows = of.keyRows;
        this.valueRows = of.valueRows;
        this.parameter = of.parameter;
        this.scoreParameter = of.scoreParameter;
        this.query = query;
        this.key = key;
        this.value = value;
        this.scale = of.scale;
        this.modified = of.modified;
        this.mask = of.mask;
        this.bias = of.bias;
        this.biasCells = of.biasCells;
        this.slopes = of.slopes;
        this.sinks = of.sinks;
    }

    /**
     * {@return this call for kernels that take long to compile for a CPU} In the family {@code lanes}, rows are first converted
     * to the compute type. On a CPU device, {@link #fewVariants} lets a field of the struct specify whether scores are modified.
     * So a kernel has one compiled variant instead of six.
     */
    AttentionCall withFewVariants() {
        boolean converted = query.type() == scope.real() && key.type() == scope.real() && value.type() == scope.real();
        if (scope.engine.family.isStaged() || converted) {
            return this;
        }
        return new AttentionCall(
                this,
                scope.converted(query, scope.real()),
                scope.converted(key, scope.real()),
                scope.converted(value, scope.real()));
    }

    /** {@return this call with copies of its queries, keys and values in another layout} */
    AttentionCall on(DeviceTensor otherQuery, DeviceTensor otherKey, DeviceTensor otherValue) {
        return new AttentionCall(this, otherQuery, otherKey, otherValue);
    }

    /** {@return whether scores are not modified and the factor is at most 1, so that a finite score times it is finite} */
    private boolean isFolded() {
        return !modified && scale * LOG2E <= 1;
    }

    /** {@return the form of the matrix-unit program with the given tiles for the forward pass of this call} */
    public MatrixForm forwardForm(MatrixTiles tiles) {
        return form(tiles, isFolded());
    }

    /** {@return the form of the matrix-unit program with the given tiles for the backward pass of this call} */
    public MatrixForm backwardForm(MatrixTiles tiles) {
        return form(tiles, false);
    }

    private MatrixForm form(MatrixTiles tiles, boolean folded) {
        boolean whole = shape.headDim() == tiles.d() && shape.valueHeadDim() % tiles.dv() == 0;
        return new MatrixForm(query.type(), modified, folded, whole);
    }

    /** {@return the cover of each tile of the mask, so that kernels can skip tiles; unused without spans and cells} */
    DeviceBuffer maskTiles() {
        return mask.tiles(() -> struct(query, null, 0, 0));
    }

    private DeviceBuffer perHead(@Nullable Tensor tensor) {
        return tensor == null
                ? scope.nothing()
                : scope.upload(tensor.slice(0, chunk.headFrom(), chunk.headTo()), scope.real())
                        .buffer();
    }

    AttentionShape shape() {
        return shape;
    }

    @Nullable
    DeviceTensor bias() {
        return bias;
    }

    double scale() {
        return scale;
    }

    /** {@return compiler options of this call's kernels, except for the kernels that use {@link #fewVariants}} */
    public String variant() {
        return "-DSTORAGE=" + StorageCode.of(query.type()) + " -DMODIFIED=" + (modified ? 1 : 0) + scoreOption()
                + scope.realOption();
    }

    private String scoreOption() {
        return switch (options.score().pattern().kind()) {
            case DOT, SCALED_DOT, COSINE, GENERAL, LOCATION, CUSTOM -> "";
            case ADDITIVE, CONCAT -> " -DSCORE_OP=1";
            case GAUSSIAN -> " -DSCORE_OP=2";
        };
    }

    private long parameterStep() {
        return parameter == null || !parameterPerHead() ? 0 : parameter.stride(0);
    }

    /** {@return whether each query head has a separate parameter of the pairwise score} */
    boolean parameterPerHead() {
        return parameter != null && (parameter.shape().length == 2 || (scoresBySquares() && parameter.size(0) > 1));
    }

    boolean scoresBySquares() {
        return options.score().pattern().kind() == ScoreKind.GAUSSIAN;
    }

    /** {@return compiler options of kernels with few variants, see {@link #withFewVariants}} */
    String fewVariants() {
        boolean cpu = scope.engine.context.device().type() == DeviceType.CPU;
        return cpu
                ? "-DSTORAGE=" + StorageCode.of(query.type()) + " -DMODIFIED=2" + scoreOption() + scope.realOption()
                : variant();
    }

    /**
     * {@return the struct that is the first argument of a kernel}
     *
     * @param output the tensor to which the kernel writes
     * @param outputGradient the gradient of the output, or null
     * @param rows depends on the kernel: the number of chosen rows, the number of splits, the index of a head, or 0
     * @param stage depends on the kernel: a code of the result to write, or 1 if an optional input or output is present, else 0
     */
    Arguments struct(DeviceTensor output, @Nullable DeviceTensor outputGradient, long rows, long stage) {
        return struct(output, outputGradient, rows, stage, true, true);
    }

    /** {@return the struct for one of several launches that add to the same sums; begins: the first launch, ends: the last} */
    Arguments struct(
            DeviceTensor output,
            @Nullable DeviceTensor outputGradient,
            long rows,
            long stage,
            boolean begins,
            boolean ends) {
        AttentionShape s = shape();
        AttentionShape whole = chunk.whole();
        Arguments struct = new Arguments(LONGS, REALS, scope.f64);
        view(struct, query);
        view(struct, key);
        view(struct, value);
        view(struct, output);
        view(struct, outputGradient == null ? output : outputGradient);
        cells(struct, bias);
        mask.put(struct);
        struct.put(s.batch(), s.numHeads(), s.numKvHeads(), s.seqLenQ(), s.seqLenKv(), s.headDim(), s.valueHeadDim());
        struct.put(chunk.batchFrom(), chunk.headFrom(), chunk.queryFrom(), chunk.keyFrom());
        struct.put(whole.seqLenKv() - whole.seqLenQ());
        struct.put(options.seed(), (long) Math.ceil(options.dropout() * TWO_TO_32));
        struct.put(begins).put(ends);
        struct.put(rows);
        struct.put(mask.cells() != null).put(mask.spans() != null);
        struct.put(bias != null).put(options.alibiSlopes() != null);
        struct.put(options.sink() != null).put(stage).put(modified);
        struct.put(parameterStep());
        struct.real(scale);
        struct.real(modified ? LOG2E : scale * LOG2E);
        struct.real(modified ? 1 : scale);
        Double cap = options.softcap();
        struct.real(cap == null ? 0 : cap);
        struct.real(1 / (1 - options.dropout()));
        return struct;
    }

    private static void view(Arguments struct, DeviceTensor t) {
        struct.put(t.at(), t.stride(0), t.stride(1), t.stride(2));
    }

    /** Puts offset and strides of a tensor that broadcasts to {@code [batch, heads, queries, keys]}. */
    static void cells(Arguments struct, @Nullable DeviceTensor t) {
        if (t == null) {
            struct.put(0, 0, 0, 0, 0);
            return;
        }
        long[] steps = new long[4];
        int lead = 4 - t.shape().length;
        for (int axis = lead; axis < 4; axis++) {
            steps[axis] = t.size(axis - lead) == 1 ? 0 : t.stride(axis - lead);
        }
        struct.put(t.at(), steps[0], steps[1], steps[2], steps[3]);
    }
}
