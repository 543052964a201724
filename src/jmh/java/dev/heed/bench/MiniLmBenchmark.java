package dev.heed.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.heed.backend.vector.VectorBackend;
import dev.heed.bert.BertEncoder;
import dev.heed.bert.BertEncoding;
import dev.heed.bert.BertToken;
import dev.heed.bert.MiniLm;
import java.io.IOException;
import java.io.InputStream;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A benchmark of a real encoder end to end: all-MiniLM-L6-v2, one batch of sequences per call, in Heed and in ONNX
 * Runtime from the same file.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {Contest.VECTOR, Contest.NATIVE, Contest.UNSAFE})
public class MiniLmBenchmark {
    private static final String FILE = "all-minilm-l6-v2.onnx";
    private static final double TOLERANCE = 1e-4;

    /** The contestant. */
    @Param({"vector", "onnxruntime"})
    public String backend = "";

    /** The number of sequences, and the tokens of each. */
    @Param({"1x9", "1x31", "1x16", "1x128", "1x512", "32x128", "8x512"})
    public String batch = "";

    /** Threads that compute one call. */
    @Param("2")
    public int threads;

    private Encoder encoder;
    private long tokens;

    /** The secondary result (in JMH's terms): tokens per second. */
    @AuxCounters
    @State(Scope.Thread)
    public static class TokenRate {
        /** Tokens, increased by every call; JMH divides the sum by the seconds. */
        public double tokens;
    }

    private interface Encoder extends AutoCloseable {
        /** {@return the last hidden states of all tokens, in one array} */
        Object encode() throws OrtException;

        @Override
        void close() throws OrtException;
    }

    /** Creates both encoders, throws unless they agree on this batch, and closes the one that is not timed. */
    @Setup
    public void load() throws IOException, OrtException {
        int[] sizes =
                Arrays.stream(batch.split("x", 2)).mapToInt(Integer::parseInt).toArray();
        tokens = (long) sizes[0] * sizes[1];
        var random = new Random(1);
        List<List<BertToken>> sequences = Stream.generate(() -> sequence(random, sizes[1]))
                .limit(sizes[0])
                .toList();
        Encoder heed = heed(sequences, threads);
        Encoder peer = onnxRuntime(sequences, threads);
        requireEqual((float[]) heed.encode(), (float[]) peer.encode());
        boolean ours = backend.equals("vector");
        encoder = ours ? heed : peer;
        (ours ? peer : heed).close();
    }

    private static List<BertToken> sequence(Random random, int tokens) {
        return IntStream.range(0, tokens)
                .mapToObj(i -> i == 0
                        ? new BertToken("[CLS]", 101, 0, true)
                        : i == tokens - 1
                                ? new BertToken("[SEP]", 102, 0, true)
                                : new BertToken("word", 1000 + random.nextInt(28_000), 0, false))
                .toList();
    }

    private static Encoder heed(List<List<BertToken>> sequences, int threads) {
        var vector = new VectorBackend(threads);
        if (!vector.notReadyReasons().isEmpty()) {
            throw new IllegalStateException(String.join("; ", vector.notReadyReasons()));
        }
        var encoder = new BertEncoder(MiniLm.model(), vector);
        return new Encoder() {
            @Override
            public Object encode() {
                return hidden(encoder.encodeAll(sequences));
            }

            @Override
            public void close() {
                vector.close();
            }
        };
    }

    private static Encoder onnxRuntime(List<List<BertToken>> sequences, int threads) throws IOException, OrtException {
        byte[] file;
        try (InputStream stream = MiniLm.class.getClassLoader().getResourceAsStream(FILE)) {
            file = stream.readAllBytes();
        }
        OrtSession session = OnnxRuntime.session(file, threads);
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        Map<String, OnnxTensor> inputs = Map.of(
                "input_ids",
                rows(environment, sequences, BertToken::id),
                "token_type_ids",
                rows(environment, sequences, token -> 0),
                "attention_mask",
                rows(environment, sequences, token -> 1));
        return new Encoder() {
            @Override
            public Object encode() throws OrtException {
                try (var result = session.run(inputs)) {
                    var buffer = ((OnnxTensor) result.get(0)).getFloatBuffer();
                    float[] values = new float[buffer.remaining()];
                    buffer.get(values);
                    return values;
                }
            }

            @Override
            public void close() throws OrtException {
                session.close();
            }
        };
    }

    private static OnnxTensor rows(
            OrtEnvironment environment, List<List<BertToken>> sequences, ToLongFunction<BertToken> number)
            throws OrtException {
        long[][] values = sequences.stream()
                .map(sequence -> sequence.stream().mapToLong(number).toArray())
                .toArray(long[][]::new);
        return OnnxTensor.createTensor(environment, values);
    }

    /** {@return the hidden states in one array, as ONNX Runtime returns them} */
    private static float[] hidden(List<BertEncoding> encodings) {
        var all = FloatBuffer.allocate(encodings.stream()
                .mapToInt(encoding -> Math.toIntExact(encoding.hidden().elementCount()))
                .sum());
        encodings.forEach(encoding -> all.put(encoding.hidden().toFloatArray()));
        return all.array();
    }

    private static void requireEqual(float[] ours, float[] theirs) {
        double worst = ours.length == theirs.length ? 0 : Double.POSITIVE_INFINITY;
        for (int i = 0; i < Math.min(ours.length, theirs.length); i++) {
            worst = Math.max(worst, Math.abs(ours[i] - theirs[i]));
        }
        if (!(worst <= TOLERANCE)) {
            throw new IllegalStateException("the last hidden states differ by " + worst + " > " + TOLERANCE);
        }
    }

    /** Encodes one batch. */
    @Benchmark
    public Object encode(TokenRate rate) throws OrtException {
        rate.tokens += tokens;
        return encoder.encode();
    }

    /** Releases the resources of the timed encoder. */
    @TearDown
    public void close() throws OrtException {
        encoder.close();
    }
}
