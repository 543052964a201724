package dev.heed.layer;

/** Element-wise operations on a tape, each with its backward step. */
final class Elementwise {
    private Elementwise() {}

    static Value add(Tape tape, Value a, Value b) {
        b.require("second summand", a.shape());
        Value y = tape.value(a.shape());
        int n = y.data().count();
        for (int i = 0; i < n; i++) {
            y.data().set(i, a.data().get(i) + b.data().get(i));
        }
        tape.back(y, () -> {
            a.gradientElements().add(y.gradientElements());
            b.gradientElements().add(y.gradientElements());
        });
        return y;
    }

    static Value multiply(Tape tape, Value a, Value b) {
        b.require("second factor", a.shape());
        Value y = tape.value(a.shape());
        int n = y.data().count();
        for (int i = 0; i < n; i++) {
            y.data().set(i, a.data().get(i) * b.data().get(i));
        }
        tape.back(y, () -> {
            for (int i = 0; i < n; i++) {
                a.gradientElements()
                        .add(i, y.gradientElements().get(i) * b.data().get(i));
                b.gradientElements()
                        .add(i, y.gradientElements().get(i) * a.data().get(i));
            }
        });
        return y;
    }

    static Value tanh(Tape tape, Value x) {
        Value y = tape.value(x.shape());
        int n = y.data().count();
        for (int i = 0; i < n; i++) {
            y.data().set(i, Math.tanh(x.data().get(i)));
        }
        tape.back(y, () -> {
            Elements up = y.gradientElements();
            Elements to = x.gradientElements();
            for (int i = 0; i < n; i++) {
                double t = y.data().get(i);
                to.add(i, up.get(i) * (1 - t * t));
            }
        });
        return y;
    }

    static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }
}
