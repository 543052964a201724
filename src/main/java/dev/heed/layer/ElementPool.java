package dev.heed.layer;

import dev.heed.tensor.DType;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * The arrays of a tape. Arrays that a pass has used are free when the pass ends, and later passes take them, also for fewer elements.
 * The free arrays have at most twice the elements that the largest pass took; beyond that, those that were free for the longest time
 * are dropped. So the memory follows from the largest pass, and not from the number of different sizes.
 */
final class ElementPool {
    private static final int SMALLEST = 16;
    private static final int STEPS = 8; // capacities per power of two; at most an eighth of an array is unused
    private static final int WASTE = 2; // a free array serves a request of at least half its capacity
    private static final int PASSES = 2; // free elements, as a multiple of the largest pass

    /** A free array, and the number of the pass that used it last. */
    private record Free(Elements elements, long pass) {}

    private final DType type;

    /** The free arrays by capacity. In a deque, the array that was used last is the first. */
    private final TreeMap<Integer, Deque<Free>> free = new TreeMap<>();

    private final List<Elements> taken = new ArrayList<>();
    private long freeCount;
    private long takenCount;
    private long largestPass;
    private long pass;

    ElementPool(DType type) {
        this.type = type;
    }

    /** {@return a multiple of an eighth of a power of two, at least {@code count}} */
    static int capacity(int count) {
        if (count <= SMALLEST) {
            return SMALLEST;
        }
        int step = Math.max(1, Integer.highestOneBit(count) / STEPS);
        long rounded = Math.ceilDiv((long) count, step) * step;
        return rounded > Integer.MAX_VALUE - SMALLEST ? count : (int) rounded; // the JVM has no larger arrays
    }

    /** {@return elements with undefined contents, for use until {@link #endPass}} */
    Elements take(int count) {
        int capacity = capacity(count);
        Map.Entry<Integer, Deque<Free>> fitting = free.ceilingEntry(capacity);
        Elements whole = fitting == null || fitting.getKey() > (long) WASTE * capacity
                ? Elements.of(type, capacity)
                : remove(fitting.getKey(), true);
        taken.add(whole);
        takenCount += whole.count();
        return whole.first(count);
    }

    /** Removes the free array of a capacity that was used last, or the one that was free for the longest time. */
    private Elements remove(int capacity, boolean lastUsed) {
        Deque<Free> same = Objects.requireNonNull(free.get(capacity));
        Free array = lastUsed ? same.removeFirst() : same.removeLast();
        if (same.isEmpty()) {
            free.remove(capacity);
        }
        freeCount -= capacity;
        return array.elements();
    }

    /** Makes all taken elements free. */
    void endPass() {
        pass++;
        largestPass = Math.max(largestPass, takenCount);
        for (Elements whole : taken) {
            free.computeIfAbsent(whole.count(), any -> new ArrayDeque<>()).addFirst(new Free(whole, pass));
        }
        freeCount += takenCount;
        taken.clear();
        takenCount = 0;
        while (freeCount > PASSES * largestPass) {
            remove(longestFree(), false);
        }
    }

    /** {@return the capacity of the array that was free for the longest time} */
    private int longestFree() {
        int capacity = 0;
        long first = Long.MAX_VALUE;
        for (Map.Entry<Integer, Deque<Free>> same : free.entrySet()) {
            long last = same.getValue().getLast().pass();
            if (last < first) {
                first = last;
                capacity = same.getKey();
            }
        }
        return capacity;
    }

    /** {@return the capacity of all free arrays, in elements} */
    long freeCount() {
        return freeCount;
    }

    /** Drops all arrays. */
    void close() {
        taken.clear();
        free.clear();
        takenCount = 0;
        freeCount = 0;
    }
}
