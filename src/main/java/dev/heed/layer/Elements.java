package dev.heed.layer;

import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.util.Arrays;

/** The elements of a value in a flat f32 or f64 array, read and written as double. */
abstract sealed class Elements {
    static Elements of(DType type, int count) {
        return type == DType.F64 ? new Doubles(new double[count]) : new Floats(new float[count]);
    }

    abstract int count();

    abstract double get(int i);

    abstract void set(int i, double value);

    abstract void add(int i, double value);

    abstract void clear();

    abstract void copy(Elements from, int at, int to, int count);

    abstract Tensor tensor(long... shape);

    /** Adds the elements of another array of the same length, element-wise. */
    final void add(Elements other) {
        int n = count();
        for (int i = 0; i < n; i++) {
            add(i, other.get(i));
        }
    }

    private static final class Floats extends Elements {
        private final float[] cells;

        Floats(float[] cells) {
            this.cells = cells;
        }

        @Override
        int count() {
            return cells.length;
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
            Arrays.fill(cells, 0);
        }

        @Override
        void copy(Elements from, int at, int to, int count) {
            System.arraycopy(((Floats) from).cells, at, cells, to, count);
        }

        @Override
        Tensor tensor(long... shape) {
            return Tensor.of(cells, shape);
        }
    }

    private static final class Doubles extends Elements {
        private final double[] cells;

        Doubles(double[] cells) {
            this.cells = cells;
        }

        @Override
        int count() {
            return cells.length;
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
            Arrays.fill(cells, 0);
        }

        @Override
        void copy(Elements from, int at, int to, int count) {
            System.arraycopy(((Doubles) from).cells, at, cells, to, count);
        }

        @Override
        Tensor tensor(long... shape) {
            return Tensor.of(cells, shape);
        }
    }
}
