package dev.heed;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.LongUnaryOperator;

/**
 * The partial attention states of many rows: what is known of their attention after some of the keys have been read. A row
 * is one query of one head, so there are {@code batch * numHeads * seqLenQ} rows. The state of a row is the maximum of the
 * scores, the sum of the exponentials and the output, each in f64 (online softmax: Milakov and Gimelshein 2018; states of
 * slices of the keys: Rabe and Staats 2021). Two states merge into the state of all their keys:
 *
 * <pre>
 * m = max(m1, m2)      f1 = sum1 e^(m1 - m)      f2 = sum2 e^(m2 - m)
 * sum = f1 + f2        output = output1 f1 / sum + output2 f2 / sum      lse = m + ln(sum)
 * </pre>
 *
 * <p>The keys can therefore be divided among calls, caches, devices or machines. Each computes the attention of all queries
 * over its own keys, and the results are added to one object, or to several objects that are merged:
 *
 * <pre>{@code
 * AttentionOptions partial = AttentionOptions.DEFAULT.withPartial();
 * var states = AttentionStates.of(Attention.scaledDotProduct(query, key1, value1, partial));
 * states.add(Attention.scaledDotProduct(query, key2, value2, partial));
 * Tensor output = states.output(DType.BF16);    // rounded once
 * }</pre>
 *
 * <p>The empty state is the neutral element, bit for bit. Merging two states in either order gives the same bits; merging
 * three or more in another order, or grouped in another way, changes them by rounding. The same calls in the same order
 * give the same bits. Infinities and NaN follow IEEE 754 as in one call over all keys.
 *
 * <p>A state is mutable and not safe for use by several threads. It uses {@code 8 (2 + valueHeadDim + 2 topK)} bytes for
 * each row, on the Java heap and as {@linkplain #toBytes bytes}.
 */
public final class AttentionStates {
    private static final int MAGIC = 'H' | 'E' << 8 | 'A' << 16 | 'S' << 24; // the bytes H E A S
    private static final byte VERSION = 1;

    /** Bytes before the first row: magic, version, flags, two zeros, four sizes of 8 bytes, topK. */
    private static final int HEADER = 4 + 1 + 1 + 2 + 4 * Long.BYTES + Long.BYTES;

    private final int batch;
    private final int numHeads;
    private final int seqLenQ;
    private final int valueHeadDim;
    private final int topK;
    private final double[] maximum;
    private final double[] sum;
    private final double[] output;

    /** The scores of the {@code topK} listed keys of every row, in descending order. Entries without a key are at the end. */
    private final double[] topScores;

    /** The ids of these keys; -1 in entries without a key. */
    private final long[] topIds;

    private boolean sink;

    private AttentionStates(long batch, long numHeads, long seqLenQ, long valueHeadDim, long topK) {
        long rows = product(
                product(positive("batch", batch), positive("numHeads", numHeads)), positive("seqLenQ", seqLenQ));
        product(rows, Math.max(positive("valueHeadDim", valueHeadDim), topK));
        if (topK < 0) {
            throw new InvalidInputException(
                    "The number of largest weights is negative", "topK >= 0", String.valueOf(topK), "0 for none");
        }
        this.batch = (int) batch;
        this.numHeads = (int) numHeads;
        this.seqLenQ = (int) seqLenQ;
        this.valueHeadDim = (int) valueHeadDim;
        this.topK = (int) topK;
        maximum = new double[(int) rows];
        sum = new double[(int) rows];
        output = new double[(int) (rows * valueHeadDim)];
        topScores = new double[(int) (rows * topK)];
        topIds = new long[(int) (rows * topK)];
        Arrays.fill(maximum, Double.NEGATIVE_INFINITY);
        Arrays.fill(topScores, Double.NEGATIVE_INFINITY);
        Arrays.fill(topIds, -1);
    }

    private static long positive(String name, long size) {
        if (size < 1) {
            throw new InvalidInputException("A size of states is not positive", name + " >= 1", name + " " + size, "1");
        }
        return size;
    }

    /** {@return the product of two numbers that are not negative, which must fit the length of an array} */
    private static long product(long a, long b) {
        if (Math.multiplyHigh(a, b) != 0 || a * b < 0 || a * b > Integer.MAX_VALUE - 8) {
            throw new InvalidInputException(
                    "The states do not fit in an array",
                    "at most 2^31 - 9 elements: rows times the larger of valueHeadDim and topK",
                    a + " x " + b,
                    "tensor.slice(2, from, to) divides the queries among several states");
        }
        return a * b;
    }

    /**
     * {@return the states of no keys: output 0, LSE minus infinity}
     *
     * @param topK the number of keys with the largest weights that are listed for each row; 0 for none
     * @throws InvalidInputException if a size is not positive, or if an array of the states would have 2^31 elements or more
     */
    public static AttentionStates empty(long batch, long numHeads, long seqLenQ, long valueHeadDim, int topK) {
        return new AttentionStates(batch, numHeads, seqLenQ, valueHeadDim, topK);
    }

    /**
     * {@return the states of a result, without lists of keys} See {@link #add(AttentionResult)}.
     *
     * @throws InvalidInputException if the result has no LSE
     */
    public static AttentionStates of(AttentionResult result) {
        return of(result, 0).add(result);
    }

    /**
     * {@return the states of a result, with lists of as many keys as the result has} See
     * {@link #add(AttentionResult, LongUnaryOperator)}.
     *
     * @throws InvalidInputException if the result has no LSE or no largest weights
     */
    public static AttentionStates of(AttentionResult result, LongUnaryOperator keyIds) {
        Tensor largest = result.topKWeights();
        if (largest == null) {
            throw noLists(result);
        }
        return of(result, largest.size(-1)).add(result, keyIds);
    }

    private static AttentionStates of(AttentionResult result, long topK) {
        Tensor output = requireRows(result.output());
        return new AttentionStates(output.size(0), output.size(1), output.size(2), output.size(3), topK);
    }

    private static Tensor requireRows(Tensor output) {
        InputCheck.readable("output", output);
        if (output.rank() != 4 || !output.type().isFloating()) {
            throw new InvalidInputException(
                    "The output is not the output of an attention",
                    "floating-point numbers of shape [batch, numHeads, seqLenQ, valueHeadDim]",
                    output.toString(),
                    "pass the result of Attention.scaledDotProduct");
        }
        return output;
    }

    /** {@return the batch size} */
    public long batch() {
        return batch;
    }

    /** {@return the number of query heads} */
    public long numHeads() {
        return numHeads;
    }

    /** {@return the number of queries} */
    public long seqLenQ() {
        return seqLenQ;
    }

    /** {@return the number of elements of a value} */
    public long valueHeadDim() {
        return valueHeadDim;
    }

    /** {@return the number of keys with the largest weights that are listed for each row; 0 for none} */
    public int topK() {
        return topK;
    }

    /**
     * Adds the attention of the same queries over other keys. The types of output and LSE may be any floating-point types.
     *
     * @param result the output and the LSE, {@code [batch, numHeads, seqLenQ, valueHeadDim]} and {@code [batch, numHeads,
     *     seqLenQ]}. If the result has row maxima and row sums, they are read in place of the LSE. A sink of the call that
     *     computed it counts as one of its keys. Weights, largest weights and scores are not read.
     * @return this
     * @throws InvalidInputException if the LSE is missing, if a shape does not fit, or if these states have lists of keys;
     *     then nothing is added
     */
    public AttentionStates add(AttentionResult result) {
        if (topK > 0) {
            throw new InvalidInputException(
                    "States with lists of keys need the ids of the keys",
                    "the id of every key",
                    "none",
                    "add(result, j -> firstKey + j), where firstKey is the id of the result's first key");
        }
        addRows(result);
        return this;
    }

    /**
     * Adds the attention of the same queries over other keys, and inserts the keys with the largest weights into the lists.
     *
     * @param result the output, the LSE and at least {@code min(topK, seqLenKv)} largest weights of every row
     * @param keyIds returns the id of a key from its index in the call that computed the result, for example {@code j ->
     *     firstKey + j}; ids are unique and not negative
     * @return this
     * @throws InvalidInputException if the LSE or the largest weights are missing, if a shape does not fit, or if an id is
     *     negative; in
     *     the last case these states must be discarded
     */
    public AttentionStates add(AttentionResult result, LongUnaryOperator keyIds) {
        if (result.topKWeights() == null || result.topKIndices() == null) {
            throw noLists(result);
        }
        Tensor largest = result.topKWeights().toHost();
        Tensor indices = result.topKIndices().toHost();
        InputCheck.floating("topKWeights", largest, batch, numHeads, seqLenQ, largest.size(-1));
        InputCheck.input("topKIndices", indices, DType.I64, batch, numHeads, seqLenQ, largest.size(-1));
        addRows(result);
        AttentionResult statistics = result.withStatisticsOfLse();
        Tensor max = Objects.requireNonNull(statistics.rowMax()).toHost();
        Tensor exponentials = Objects.requireNonNull(statistics.rowSum()).toHost();
        int row = 0;
        for (int b = 0; b < batch; b++) {
            for (int h = 0; h < numHeads; h++) {
                for (int i = 0; i < seqLenQ; i++, row++) {
                    double rowLse = max.get(b, h, i) + Math.log(exponentials.get(b, h, i));
                    insert(row, rowLse, largest, indices, keyIds, b, h, i);
                }
            }
        }
        return this;
    }

    private static InvalidInputException noLists(AttentionResult result) {
        return new InvalidInputException(
                "The result has no largest weights",
                "topKWeights and topKIndices",
                "topKWeights " + result.topKWeights() + ", topKIndices " + result.topKIndices(),
                "AttentionOptions.DEFAULT.withPartial().withTopK(8)");
    }

    private void insert(
            int row, double lse, Tensor largest, Tensor indices, LongUnaryOperator keyIds, long b, long h, long i) {
        for (long n = 0; n < largest.size(-1); n++) {
            long index = (long) indices.get(b, h, i, n);
            if (index < 0) {
                return;
            }
            long id = keyIds.applyAsLong(index);
            if (id < 0) {
                throw new InvalidInputException(
                        "The id of a key is negative",
                        "ids >= 0; -1 marks a missing key",
                        "id " + id,
                        "j -> firstKey + j");
            }
            insert(row, Math.log(largest.get(b, h, i, n)) + lse, id);
        }
    }

    /** Inserts a key before the first key of lower rank. The last key of a full list is dropped. */
    private void insert(int row, double score, long id) {
        int first = row * topK;
        int at = first + topK;
        while (at > first && before(score, id, topScores[at - 1], topIds[at - 1])) {
            at--;
        }
        for (int n = first + topK - 1; n > at; n--) {
            topScores[n] = topScores[n - 1];
            topIds[n] = topIds[n - 1];
        }
        if (at < first + topK) {
            topScores[at] = score;
            topIds[at] = id;
        }
    }

    /** {@return whether a key precedes another: larger score, NaN after all numbers, then lower id; a missing key is last} */
    private static boolean before(double score, long id, double otherScore, long otherId) {
        int order = Double.compare(-score, -otherScore);
        return otherId < 0 || order < 0 || (order == 0 && id < otherId);
    }

    private void addRows(AttentionResult result) {
        InputCheck.floating("lse", result.lse(), batch, numHeads, seqLenQ);
        Tensor maxima = result.rowMax() != null ? result.rowMax() : result.lse();
        if (maxima == null) {
            throw new InvalidInputException(
                    "A merge needs the LSE of every result",
                    "an LSE",
                    "null",
                    "AttentionOptions.DEFAULT.withPartial()");
        }
        result.requirePair();
        Tensor from = requireRows(result.output()).toHost();
        InputCheck.floating("output", from, batch, numHeads, seqLenQ, valueHeadDim);
        InputCheck.floating("row maxima", maxima, batch, numHeads, seqLenQ);
        InputCheck.floating("row sums", result.rowSum(), batch, numHeads, seqLenQ);
        Tensor max = maxima.toHost();
        Tensor exponentials = result.rowSum() == null ? null : result.rowSum().toHost();
        long stride = from.stride(3);
        int row = 0;
        for (int b = 0; b < batch; b++) {
            for (int h = 0; h < numHeads; h++) {
                for (int i = 0; i < seqLenQ; i++, row++) {
                    double other = max.get(b, h, i);
                    double otherSum = exponentials != null
                            ? exponentials.get(b, h, i)
                            : other == Double.NEGATIVE_INFINITY ? 0 : 1; // an LSE is a maximum with the sum 1
                    if (otherSum == 0) {
                        continue;
                    }
                    boolean empty = sum[row] == 0;
                    double share = absorb(row, other, otherSum);
                    long position = from.position(b, h, i, 0);
                    for (int n = row * valueHeadDim; n < (row + 1) * valueHeadDim; n++, position += stride) {
                        double term = from.at(position) * share;
                        output[n] = empty ? term : output[n] + term;
                    }
                }
            }
        }
    }

    /**
     * Adds another state, whose sum is not 0, to the maximum and the sum of a row, and multiplies the output by its share of the
     * new sum.
     *
     * @return the share of the other state's output; exactly 1 if the row had no keys
     */
    private double absorb(int row, double otherMaximum, double otherSum) {
        if (sum[row] == 0) {
            maximum[row] = otherMaximum;
            sum[row] = otherSum;
            return Double.isNaN(otherSum) ? otherSum : 1;
        }
        double larger = Math.max(maximum[row], otherMaximum);
        double own = sum[row] * Math.exp(maximum[row] - larger);
        double others = otherSum * Math.exp(otherMaximum - larger);
        double both = own + others;
        maximum[row] = larger;
        sum[row] = both;
        for (int n = row * valueHeadDim; n < (row + 1) * valueHeadDim; n++) {
            output[n] *= own / both;
        }
        return others / both;
    }

    /**
     * Merges the states of other keys into these states. The other states are not changed.
     *
     * @return this
     * @throws InvalidInputException if the sizes differ, or if both have a sink; then nothing is merged
     */
    public AttentionStates merge(AttentionStates other) {
        if (batch != other.batch
                || numHeads != other.numHeads
                || seqLenQ != other.seqLenQ
                || valueHeadDim != other.valueHeadDim
                || topK != other.topK) {
            throw new InvalidInputException(
                    "The states do not belong to the same queries",
                    toString(),
                    other.toString(),
                    "AttentionStates.empty");
        }
        if (sink && other.sink) {
            throw sinkTwice();
        }
        sink |= other.sink;
        for (int row = 0; row < maximum.length; row++) {
            if (other.sum[row] != 0) {
                boolean empty = sum[row] == 0;
                double share = absorb(row, other.maximum[row], other.sum[row]);
                for (int n = row * valueHeadDim; n < (row + 1) * valueHeadDim; n++) {
                    double term = other.output[n] * share;
                    output[n] = empty ? term : output[n] + term;
                }
            }
            for (int n = row * topK; n < (row + 1) * topK && other.topIds[n] >= 0; n++) {
                insert(row, other.topScores[n], other.topIds[n]);
            }
        }
        return this;
    }

    /**
     * Adds a sink to every row: one unscaled logit per query head, without a value. The calls that computed the results must
     * not have applied it.
     *
     * @param logits {@code [numHeads]}, floating-point
     * @return this
     * @throws InvalidInputException if the shape does not fit, or if these states already have a sink; then nothing is added
     */
    public AttentionStates addSink(Tensor logits) {
        InputCheck.readable("sink", logits);
        InputCheck.floating("sink", logits, numHeads);
        if (sink) {
            throw sinkTwice();
        }
        sink = true;
        for (int row = 0; row < maximum.length; row++) {
            double logit = logits.get(row / seqLenQ % numHeads);
            if (logit != Double.NEGATIVE_INFINITY) {
                absorb(row, logit, 1);
            }
        }
        return this;
    }

    private static InvalidInputException sinkTwice() {
        return new InvalidInputException(
                "The sink would be counted twice",
                "one sink for all states of a row",
                "states that already have a sink",
                "merge all states, then call addSink(logits) once");
    }

    /** {@return a copy that later changes of these states do not affect} */
    public AttentionStates copy() {
        var copy = new AttentionStates(batch, numHeads, seqLenQ, valueHeadDim, topK);
        return copy.merge(this);
    }

    /**
     * {@return the attention over all added keys: output, LSE and, if these states have lists of keys, the largest weights
     * with the ids of their keys}
     *
     * @param type the floating-point type of the output; LSE and weights have its {@linkplain DType#accumulator
     *     accumulator type}
     */
    public AttentionResult result(DType type) {
        long[] lists = {batch, numHeads, seqLenQ, topK};
        long[] rows = {batch, numHeads, seqLenQ};
        DType statistics = type.accumulator();
        AttentionResult result = AttentionResult.into(Tensor.zeros(type, batch, numHeads, seqLenQ, valueHeadDim))
                .withLse(Tensor.zeros(statistics, rows))
                .withRowStatistics(Tensor.zeros(statistics, rows), Tensor.zeros(statistics, rows))
                .asMerged();
        if (topK > 0) {
            result = result.withTopK(Tensor.zeros(type.accumulator(), lists), Tensor.zeros(DType.I64, lists));
        }
        write(result);
        return result;
    }

    /** {@return the output over all added keys, {@code [batch, numHeads, seqLenQ, valueHeadDim]}; 0 in rows without keys} */
    public Tensor output(DType type) {
        Tensor output = Tensor.zeros(type, batch, numHeads, seqLenQ, valueHeadDim);
        write(AttentionResult.into(output));
        return output;
    }

    /**
     * {@return the LSE of all added keys and of the sink as a natural logarithm, f64 {@code [batch, numHeads, seqLenQ]};
     * minus infinity in rows without keys and without a sink}
     */
    public Tensor lse() {
        Tensor lse = Tensor.zeros(DType.F64, batch, numHeads, seqLenQ);
        writeLse(lse);
        return lse;
    }

    /**
     * Writes the attention over all added keys to tensors of any floating-point types: the output; if the result has tensors
     * for them, the LSE, the row maxima and row sums, and the largest weights with the ids of their keys. An entry without a
     * key has id -1 and weight 0. Each element is rounded once.
     *
     * @throws InvalidInputException if a tensor does not fit or if the result has tensors for other outputs; then nothing is
     *     written
     */
    public void write(AttentionResult result) {
        Tensor lse = result.lse();
        Tensor largest = result.topKWeights();
        Tensor ids = result.topKIndices();
        writable("output", requireRows(result.output()), valueHeadDim);
        if (lse != null) {
            InputCheck.output("lse", lse, true, floating(lse), batch, numHeads, seqLenQ);
        }
        result.requirePair();
        if (result.rowMax() != null && result.rowSum() != null) {
            DType statistics = floating(result.rowMax()).accumulator(); // 16 bits cannot hold a sum of many keys
            InputCheck.output("row maxima", result.rowMax(), true, statistics, batch, numHeads, seqLenQ);
            InputCheck.output("row sums", result.rowSum(), true, statistics, batch, numHeads, seqLenQ);
        }
        if (largest != null) {
            writable("topKWeights", largest, topK);
        }
        InputCheck.output("topKIndices", ids, largest != null, DType.I64, batch, numHeads, seqLenQ, topK);
        if (result.weights() != null || result.rowWeights() != null || result.scores() != null) {
            throw new InvalidInputException(
                    "States have no weights of all keys and no scores",
                    "tensors for output, lse, row maxima, row sums, topKWeights and topKIndices only",
                    result.toString(),
                    "AttentionResult.into(output).withLse(lse)");
        }
        InputCheck.disjoint(result.tensors(), List.of());
        writeOutput(result.output());
        writeRowStatistics(result);
        if (largest != null && ids != null) {
            writeLists(largest, ids);
        }
    }

    private void writable(String name, Tensor tensor, long width) {
        InputCheck.output(name, tensor, true, floating(tensor), batch, numHeads, seqLenQ, width);
    }

    private static DType floating(Tensor tensor) {
        return tensor.type().isFloating() ? tensor.type() : DType.F32;
    }

    private void writeOutput(Tensor to) {
        long stride = to.stride(3);
        int row = 0;
        for (int b = 0; b < batch; b++) {
            for (int h = 0; h < numHeads; h++) {
                for (int i = 0; i < seqLenQ; i++, row++) {
                    long position = to.position(b, h, i, 0);
                    for (int n = row * valueHeadDim; n < (row + 1) * valueHeadDim; n++, position += stride) {
                        to.put(position, output[n]);
                    }
                }
            }
        }
    }

    private void writeLse(Tensor lse) {
        int row = 0;
        for (int b = 0; b < batch; b++) {
            for (int h = 0; h < numHeads; h++) {
                for (int i = 0; i < seqLenQ; i++, row++) {
                    lse.set(lse(row), b, h, i);
                }
            }
        }
    }

    private void writeRowStatistics(AttentionResult result) {
        int row = 0;
        for (int b = 0; b < batch; b++) {
            for (int h = 0; h < numHeads; h++) {
                for (int i = 0; i < seqLenQ; i++, row++) {
                    result.setRowStatistics(maximum[row], sum[row], b, h, i);
                }
            }
        }
    }

    private double lse(int row) {
        return sum[row] == 0 ? Double.NEGATIVE_INFINITY : maximum[row] + Math.log(sum[row]);
    }

    private void writeLists(Tensor largest, Tensor ids) {
        int row = 0;
        for (int b = 0; b < batch; b++) {
            for (int h = 0; h < numHeads; h++) {
                for (int i = 0; i < seqLenQ; i++, row++) {
                    for (int n = 0; n < topK; n++) {
                        long id = topIds[row * topK + n];
                        double score = topScores[row * topK + n];
                        largest.set(id < 0 ? 0 : Math.exp(score - maximum[row]) / sum[row], b, h, i, n);
                        ids.segment().set(ValueLayout.JAVA_LONG_UNALIGNED, ids.position(b, h, i, n) * Long.BYTES, id);
                    }
                }
            }
        }
    }

    /**
     * {@return these states as bytes, for files and other processes} Little-endian: the letters HEAS, one byte for the
     * version (1), one byte that is 1 if there is a sink and otherwise 0, two zeros, the five i64 numbers batch, numHeads,
     * seqLenQ, valueHeadDim and topK, and for all rows the f64 maxima, sums, outputs and scores of the listed keys,
     * and the i64 ids of these keys.
     *
     * @throws InvalidInputException if these are more bytes than an array can hold
     */
    public byte[] toBytes() {
        long size = HEADER + Long.BYTES * maximum.length * (2L + valueHeadDim + 2L * topK);
        if (size > Integer.MAX_VALUE - 8) {
            throw new InvalidInputException(
                    "The states are too large for one array of bytes",
                    "at most 2^31 - 9 bytes",
                    size + " bytes, " + this,
                    "tensor.slice(2, from, to) divides the queries among several states");
        }
        ByteBuffer to = ByteBuffer.allocate((int) size).order(ByteOrder.LITTLE_ENDIAN);
        to.putInt(MAGIC).put(VERSION).put((byte) (sink ? 1 : 0)).putShort((short) 0);
        to.putLong(batch)
                .putLong(numHeads)
                .putLong(seqLenQ)
                .putLong(valueHeadDim)
                .putLong(topK);
        for (double[] numbers : List.of(maximum, sum, output, topScores)) {
            to.asDoubleBuffer().put(numbers);
            to.position(to.position() + numbers.length * Double.BYTES);
        }
        to.asLongBuffer().put(topIds);
        return to.array();
    }

    /**
     * {@return the states that {@link #toBytes} wrote} The states are the bytes from the buffer's position to its limit; the
     * buffer itself is not changed.
     *
     * @throws InvalidInputException if the bytes are not states, are of another version, or if their number is not what their
     *     sizes require; memory is allocated only after these checks
     */
    public static AttentionStates of(ByteBuffer bytes) {
        ByteBuffer from = bytes.slice().order(ByteOrder.LITTLE_ENDIAN);
        if (from.remaining() < HEADER) {
            throw unreadable("at least " + HEADER + " bytes", from.remaining() + " bytes");
        }
        int magic = from.getInt();
        if (magic != MAGIC) {
            throw unreadable("the letters HEAS first", "0x" + Integer.toHexString(Integer.reverseBytes(magic)));
        }
        byte version = from.get();
        if (version != VERSION) {
            throw unreadable("version " + VERSION, "version " + version);
        }
        int flags = from.get();
        int zeros = from.getShort();
        if (flags < 0 || flags > 1 || zeros != 0) {
            throw unreadable("a sink byte of 0 or 1 and two zeros", flags + " and " + zeros);
        }
        long[] sizes = new long[5];
        from.asLongBuffer().get(sizes);
        from.position(HEADER);
        long rows = 1;
        boolean fits = true;
        for (int axis = 0; axis < sizes.length; axis++) {
            fits &= sizes[axis] >= (axis < 4 ? 1 : 0) && sizes[axis] <= from.remaining();
            rows *= fits && axis < 3 ? sizes[axis] : 1;
            fits &= rows <= from.remaining(); // so the next product does not overflow
        }
        if (!fits || rows * (2 + sizes[3] + 2 * sizes[4]) * Long.BYTES != from.remaining()) {
            throw unreadable(
                    "as many bytes as the sizes require",
                    from.remaining() + " bytes after the header, sizes [batch, numHeads, seqLenQ, valueHeadDim, topK] "
                            + Arrays.toString(sizes));
        }
        var states = new AttentionStates(sizes[0], sizes[1], sizes[2], sizes[3], sizes[4]);
        for (double[] numbers : List.of(states.maximum, states.sum, states.output, states.topScores)) {
            from.asDoubleBuffer().get(numbers);
            from.position(from.position() + numbers.length * Double.BYTES);
        }
        from.asLongBuffer().get(states.topIds);
        states.sink = flags == 1;
        return states;
    }

    private static InvalidInputException unreadable(String expected, String got) {
        return new InvalidInputException(
                "The bytes are not attention states",
                expected,
                got,
                "AttentionStates.of(ByteBuffer.wrap(states.toBytes()))");
    }

    @Override
    public String toString() {
        return "AttentionStates[batch=" + batch + ", numHeads=" + numHeads + ", seqLenQ=" + seqLenQ + ", valueHeadDim="
                + valueHeadDim + ", topK=" + topK + ", sink=" + sink + "]";
    }
}
