package dev.heed.layer;

import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** The elements of a value, which are the first of a flat f32 or f64 array, read and written as double. */
abstract sealed class Elements {
    static Elements of(DType type, int count) {
        return type == DType.F64 ? new Doubles(new double[count], count) : new Floats(new float[count], count);
    }

    abstract int count();

    abstract double get(int i);

    abstract void set(int i, double value);

    abstract void add(int i, double value);

    abstract void clear();

    abstract void copy(Elements from, int at, int to, int count);

    abstract Tensor tensor(long... shape);

    /** {@return the first {@code count} of these elements, in the same array} */
    abstract Elements first(int count);

    /** Adds the elements of another array of the same length, element-wise. */
    final void add(Elements other) {
        int n = count();
        for (int i = 0; i < n; i++) {
            add(i, other.get(i));
        }
    }

    private static final class Floats extends Elements {
        private final float[] cells;
        private final int count;

        Floats(float[] cells, int count) {
            this.cells = cells;
            this.count = count;
        }

        @Override
        int count() {
            return count;
        }

        @Override
        Elements first(int some) {
            return some == count ? this : new Floats(cells, some);
        }

        @Override
        double get(int i) {
            return cells[i];
        }

        @Override
        void set(int i, double value) {
            cells[i] = (float) value;
        }

        @Override
        void add(int i, double value) {
            cells[i] += (float) value;
        }

        @Override
        void clear() {
            Arrays.fill(cells, 0, count, 0);
        }

        @Override
        void copy(Elements from, int at, int to, int count) {
            System.arraycopy(((Floats) from).cells, at, cells, to, count);
        }

        @Override
        Tensor tensor(long... shape) {
            return Tensor.of(MemorySegment.ofArray(cells).asSlice(0, (long) count * Float.BYTES), DType.F32, shape);
        }
    }

    private static final class Doubles extends Elements {
        private final double[] cells;
        private final int count;

        Doubles(double[] cells, int count) {
            this.cells = cells;
            this.count = count;
        }

        @Override
        int count() {
            return count;
        }

        @Override
        Elements first(int some) {
            return some == count ? this : new Doubles(cells, some);
        }

        @Override
        double get(int i) {
            return cells[i];
        }

        @Override
        void set(int i, double value) {
            cells[i] = value;
        }

        @Override
        void add(int i, double value) {
            cells[i] += value;
        }

        @Override
        void clear() {
            Arrays.fill(cells, 0, count, 0);
        }

        @Override
        void copy(Elements from, int at, int to, int count) {
            System.arraycopy(((Doubles) from).cells, at, cells, to, count);
        }

        @Override
        Tensor tensor(long... shape) {
            return Tensor.of(MemorySegment.ofArray(cells).asSlice(0, (long) count * Double.BYTES), DType.F64, shape);
        }
    }
}
