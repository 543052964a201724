package dev.heed.layer;

import dev.heed.tensor.InvalidInputException;
import java.util.List;

/** Operations on a tape that copy elements without changing them, each with its backward step. */
final class RowOperations {
    private RowOperations() {}

    static Value concat(Tape tape, List<Value> values) {
        Value first = values.getFirst();
        long[] shape = first.shape();
        int width = 0;
        for (Value value : values) {
            long[] same = first.shape();
            same[same.length - 1] = value.width();
            value.require("value", same);
            width += value.width();
        }
        shape[shape.length - 1] = width;
        Value y = tape.value(shape);
        int rows = first.rows();
        int whole = width;
        int column = 0;
        for (Value value : values) {
            for (int r = 0; r < rows; r++) {
                y.data().copy(value.data(), r * value.width(), r * whole + column, value.width());
            }
            column += value.width();
        }
        tape.back(y, () -> {
            int at = 0;
            Elements up = y.gradientElements();
            for (Value value : values) {
                int w = value.width();
                Elements to = value.gradientElements();
                for (int r = 0; r < rows; r++) {
                    for (int i = 0; i < w; i++) {
                        to.add(r * w + i, up.get(r * whole + at + i));
                    }
                }
                at += w;
            }
        });
        return y;
    }

    static Value columns(Tape tape, Value x, int from, int to) {
        if (from < 0 || to <= from || to > x.width()) {
            throw new InvalidInputException(
                    "There are no such columns",
                    "0 <= from < to <= " + x.width(),
                    "from " + from + " to " + to,
                    "check the sizes");
        }
        long[] shape = x.shape();
        int width = to - from;
        shape[shape.length - 1] = width;
        Value y = tape.value(shape);
        int rows = x.rows();
        int whole = x.width();
        for (int r = 0; r < rows; r++) {
            y.data().copy(x.data(), r * whole + from, r * width, width);
        }
        tape.back(y, () -> {
            Elements dx = x.gradientElements();
            Elements up = y.gradientElements();
            for (int r = 0; r < rows; r++) {
                for (int i = 0; i < width; i++) {
                    dx.add(r * whole + from + i, up.get(r * width + i));
                }
            }
        });
        return y;
    }

    /** Returns rows {@code from} (inclusive) to {@code to} (exclusive) of a matrix. */
    static Value band(Tape tape, Value x, int from, int to) {
        int width = x.width();
        int n = (to - from) * width;
        Value y = tape.value(to - from, width);
        y.data().copy(x.data(), from * width, 0, n);
        tape.back(y, () -> {
            Elements dx = x.gradientElements();
            Elements up = y.gradientElements();
            for (int i = 0; i < n; i++) {
                dx.add(from * width + i, up.get(i));
            }
        });
        return y;
    }

    static Value stack(Tape tape, List<Value> values) {
        long[] value = values.getFirst().shape();
        long[] shape = new long[value.length + 1];
        shape[0] = values.size();
        System.arraycopy(value, 0, shape, 1, value.length);
        Value y = tape.value(shape);
        int n = values.getFirst().data().count();
        for (int t = 0; t < values.size(); t++) {
            values.get(t).require("value", value);
            y.data().copy(values.get(t).data(), 0, t * n, n);
        }
        List<Value> all = List.copyOf(values);
        tape.back(y, () -> {
            Elements up = y.gradientElements();
            for (int t = 0; t < all.size(); t++) {
                Elements to = all.get(t).gradientElements();
                for (int i = 0; i < n; i++) {
                    to.add(i, up.get(t * n + i));
                }
            }
        });
        return y;
    }

    static Value select(Tape tape, Value x, int index) {
        long[] whole = x.shape();
        long[] shape = new long[whole.length - 1];
        System.arraycopy(whole, 1, shape, 0, shape.length);
        Value y = tape.value(shape);
        int n = y.data().count();
        y.data().copy(x.data(), index * n, 0, n);
        tape.back(y, () -> {
            Elements dx = x.gradientElements();
            Elements up = y.gradientElements();
            for (int i = 0; i < n; i++) {
                dx.add(index * n + i, up.get(i));
            }
        });
        return y;
    }

    static Value reshape(Tape tape, Value x, long... shape) {
        Value y = tape.value(x.tensor().reshape(shape).shape());
        y.data().copy(x.data(), 0, 0, x.data().count());
        tape.back(y, () -> x.gradientElements().add(y.gradientElements()));
        return y;
    }

    static Value gather(Tape tape, Value table, int... indices) {
        int width = table.width();
        int[] rows = indices.clone();
        Value y = tape.value(rows.length, width);
        for (int r = 0; r < rows.length; r++) {
            if (rows[r] < 0 || rows[r] >= table.size(0)) {
                throw new InvalidInputException(
                        "The table has no such row",
                        "rows from 0 to " + (table.size(0) - 1),
                        String.valueOf(rows[r]),
                        "check the vocabulary");
            }
            y.data().copy(table.data(), rows[r] * width, r * width, width);
        }
        tape.back(y, () -> {
            Elements dx = table.gradientElements();
            Elements up = y.gradientElements();
            for (int r = 0; r < rows.length; r++) {
                for (int i = 0; i < width; i++) {
                    dx.add(rows[r] * width + i, up.get(r * width + i));
                }
            }
        });
        return y;
    }
}
