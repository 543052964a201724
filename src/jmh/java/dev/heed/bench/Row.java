package dev.heed.bench;

import dev.heed.AttentionProblem;
import dev.heed.Problem;
import dev.heed.verify.Case;
import java.util.ArrayList;
import java.util.List;

/**
 * One row of the benchmark grid: a workload, measured for every contestant that can compute it.
 *
 * @param group the kind of work
 * @param label the sizes, in the notation of papers if there is one: B batch, H query heads (H32/8: 32 query heads, 8
 *     key/value heads), L sequence length, Lk number of keys, D headDim, E elements of an embedding
 * @param problem the case string
 * @param quick whether the row belongs to the quick grid
 */
record Row(Group group, String label, String problem, boolean quick) {
    /** The naive loops do not run calls of the full grid with more floating-point operations than this. */
    private static final double NAIVE_FLOPS = 1e10;

    private static final double QUICK_NAIVE_FLOPS = 1e9;

    /** Maximum number of scores per batch entry that a peer without a fused masked kernel may store. */
    private static final double MOST_SCORES = 1L << 28;

    /** The kinds of work, each with its benchmark and the ceiling that its rates are compared with. */
    enum Group {
        PREFILL(PrefillBenchmark.class, "forward", Ceiling.FMA),
        DECODE(DecodeBenchmark.class, "forward", Ceiling.READ),
        SOFTMAX(SoftmaxBenchmark.class, "forward", Ceiling.COPY),
        BACKWARD(BackwardBenchmark.class, "backward", Ceiling.FMA),
        PROJECTIONS(ProjectionBenchmark.class, "forward", Ceiling.FMA),
        MULTIHEAD(MultiHeadBenchmark.class, "forward", Ceiling.FMA);

        final String benchmark;
        final Ceiling ceiling;

        Group(Class<?> type, String method, Ceiling ceiling) {
            this.benchmark = type.getName() + "." + method;
            this.ceiling = ceiling;
        }
    }

    /** The limits of the machine, each with its benchmark. */
    enum Ceiling {
        FMA("fma", "gflops", "GFLOP/s"),
        READ("read", "gigabytes", "GB/s"),
        COPY("copy", "gigabytes", "GB/s");

        final String benchmark;
        /** The name of the benchmark's secondary result. */
        final String column;

        final String unit;

        Ceiling(String method, String column, String unit) {
            this.benchmark = CeilingBenchmark.class.getName() + "." + method;
            this.column = column;
            this.unit = unit;
        }
    }

    private static final List<Row> GRID = grid();

    private static List<Row> grid() {
        List<Row> rows = new ArrayList<>();
        prefill(rows, "B1 H8 L512 D64", "q1x8x512x64 kv8x512 f32", true);
        prefill(rows, "B1 H8 L2048 D64", "q1x8x2048x64 kv8x2048 f32", true);
        prefill(rows, "B1 H8 L2048 D128", "q1x8x2048x128 kv8x2048 f32", true);
        prefill(rows, "B4 H12 L128 D64", "q4x12x128x64 kv12x128 f32", true);
        prefill(rows, "B1 H8 L8192 D64", "q1x8x8192x64 kv8x8192 f32", false);
        rows.add(new Row(Group.DECODE, "B1 H32 Lk4096 D128", "q1x32x1x128 kv32x4096 f32", true));
        rows.add(new Row(Group.DECODE, "B1 H32/8 Lk16384 D128", "q1x32x1x128 kv8x16384 f32", false));
        rows.add(new Row(
                Group.DECODE, "B1 H32/8 Lk65536 D128 W4096", "q1x32x1x128 kv8x65536 f32 mask=window:4095,0:br", false));
        prefill(rows, "B1 H32/8 L2048 D128", "q1x32x2048x128 kv8x2048 f32", false);
        prefill(rows, "B1 H8 L2048 D64 bf16", "q1x8x2048x64 kv8x2048 bf16", false);
        prefill(rows, "B1 H8 L2048 D128 bf16", "q1x8x2048x128 kv8x2048 bf16", false);
        rows.add(new Row(Group.DECODE, "B1 H32 Lk4096 D128 bf16", "q1x32x1x128 kv32x4096 bf16", false));
        rows.add(new Row(Group.DECODE, "B1 H32 Lk4096 D128 i8", "q1x32x1x128 kv32x4096 f32 kv=i8", false));
        rows.add(new Row(Group.SOFTMAX, "4096 x 8192", "softmax 4096x8192 axis=-1 f32", true));
        backward(rows, "B1 H8 L512 D64", "q1x8x512x64 kv8x512 f32", true);
        backward(rows, "B1 H8 L2048 D64", "q1x8x2048x64 kv8x2048 f32", false);
        backward(rows, "B1 H8 L2048 D128", "q1x8x2048x128 kv8x2048 f32", false);
        String layer = "mha in=768x768x768 out=768 biases=qkvo ";
        rows.add(new Row(Group.PROJECTIONS, "1024 x 768 x 768, four", layer + "q64x12x16x64 kv12x16 f32", true));
        rows.add(new Row(Group.PROJECTIONS, "1024 x 768 x 768, four bf16", layer + "q64x12x16x64 kv12x16 bf16", false));
        rows.add(new Row(Group.MULTIHEAD, "B8 H12 L128 E768", layer + "q8x12x128x64 kv12x128 f32", true));
        return List.copyOf(rows);
    }

    private static void prefill(List<Row> rows, String label, String problem, boolean quick) {
        rows.add(new Row(Group.PREFILL, label, problem, quick));
        rows.add(new Row(Group.PREFILL, label + " causal", problem + " mask=causal:br", quick));
    }

    private static void backward(List<Row> rows, String label, String problem, boolean quick) {
        rows.add(new Row(Group.BACKWARD, label, problem + " backward", quick));
        rows.add(new Row(Group.BACKWARD, label + " causal", problem + " mask=causal:br backward", quick));
    }

    /** {@return the rows of the full grid, or of the quick grid if {@code quick}} */
    static List<Row> grid(boolean quick) {
        return GRID.stream().filter(row -> row.quick || !quick).toList();
    }

    /** {@return the contestants that can compute this row in reasonable time, Heed first} */
    List<String> contestants(boolean quick) {
        Case recipe = Case.parse(problem);
        if (problem.contains("kv=i8")) {
            return List.of("vector"); // no peer stores keys and values as bytes with scales
        }
        if (problem.contains(" bf16")) {
            return List.of("vector", "libtorch"); // DJL crashes on bf16; onnxruntime and naive accept only f32
        }
        if (problem.contains("mask=window")) {
            return List.of("vector", "onnxruntime-gqa"); // the others would read all keys and a mask
        }
        List<String> names = new ArrayList<>(List.of("vector", "libtorch"));
        if (!recipe.backward()) {
            names.add("djl");
        }
        if (onnxRuntimeCan(recipe)) {
            names.add("onnxruntime");
        }
        if (groupQueryCan(recipe)) {
            names.add("onnxruntime-gqa");
        }
        double flops = recipe.problem().flops() * (recipe.backward() ? 2.5 : 1);
        if (flops <= (quick ? QUICK_NAIVE_FLOPS : NAIVE_FLOPS)) {
            names.add("naive");
        }
        return names;
    }

    private static boolean groupQueryCan(Case recipe) {
        return recipe.problem() instanceof AttentionProblem p
                && !recipe.backward()
                && (p.shape().seqLenQ() == 1 || p.maskPattern().startsWith("causal"));
    }

    private static boolean onnxRuntimeCan(Case recipe) {
        Problem problem = recipe.problem();
        if (problem instanceof AttentionProblem p) {
            double scores = (double) p.shape().numHeads()
                    * p.shape().seqLenQ()
                    * p.shape().seqLenKv();
            return !recipe.backward()
                    && p.shape().groupSize() == 1
                    && (p.maskPattern().equals("none") || scores <= MOST_SCORES);
        }
        return true;
    }
}
