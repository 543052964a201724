package dev.heed.layer;

import dev.heed.tensor.InvalidInputException;
import java.util.List;

/** Steps that move rows and change no number. */
final class Rows {
    private Rows() {}

    static Value concat(Tape tape, List<Value> parts) {
        Value first = parts.getFirst();
        long[] shape = first.shape();
        int width = 0;
        for (Value part : parts) {
            long[] same = first.shape();
            same[same.length - 1] = part.width();
            part.require("part", same);
            width += part.width();
        }
        shape[shape.length - 1] = width;
        Value y = tape.value(shape);
        int rows = first.rows();
        int whole = width;
        int column = 0;
        for (Value part : parts) {
            for (int r = 0; r < rows; r++) {
                y.data().copy(part.data(), r * part.width(), r * whole + column, part.width());
            }
            column += part.width();
        }
        tape.back(y, () -> {
            int at = 0;
            Cells up = y.slope();
            for (Value part : parts) {
                int w = part.width();
                Cells to = part.slope();
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
            Cells dx = x.slope();
            Cells up = y.slope();
            for (int r = 0; r < rows; r++) {
                for (int i = 0; i < width; i++) {
                    dx.add(r * whole + from + i, up.get(r * width + i));
                }
            }
        });
        return y;
    }

    /** Rows from one to another of a matrix. */
    static Value band(Tape tape, Value x, int from, int to) {
        int width = x.width();
        int n = (to - from) * width;
        Value y = tape.value(to - from, width);
        y.data().copy(x.data(), from * width, 0, n);
        tape.back(y, () -> {
            Cells dx = x.slope();
            Cells up = y.slope();
            for (int i = 0; i < n; i++) {
                dx.add(from * width + i, up.get(i));
            }
        });
        return y;
    }

    static Value stack(Tape tape, List<Value> parts) {
        long[] part = parts.getFirst().shape();
        long[] shape = new long[part.length + 1];
        shape[0] = parts.size();
        System.arraycopy(part, 0, shape, 1, part.length);
        Value y = tape.value(shape);
        int n = parts.getFirst().data().count();
        for (int t = 0; t < parts.size(); t++) {
            parts.get(t).require("part", part);
            y.data().copy(parts.get(t).data(), 0, t * n, n);
        }
        List<Value> all = List.copyOf(parts);
        tape.back(y, () -> {
            Cells up = y.slope();
            for (int t = 0; t < all.size(); t++) {
                Cells to = all.get(t).slope();
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
            Cells dx = x.slope();
            Cells up = y.slope();
            for (int i = 0; i < n; i++) {
                dx.add(index * n + i, up.get(i));
            }
        });
        return y;
    }

    static Value reshape(Tape tape, Value x, long... shape) {
        Value y = tape.value(x.tensor().reshape(shape).shape());
        y.data().copy(x.data(), 0, 0, x.data().count());
        tape.back(y, () -> x.slope().add(y.slope()));
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
            Cells dx = table.slope();
            Cells up = y.slope();
            for (int r = 0; r < rows.length; r++) {
                for (int i = 0; i < width; i++) {
                    dx.add(rows[r] * width + i, up.get(r * width + i));
                }
            }
        });
        return y;
    }
}
