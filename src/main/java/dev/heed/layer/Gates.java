package dev.heed.layer;

import dev.heed.layer.RecurrentCell.State;

/** The element-wise computations of the gates of recurrent cells; each call records one backward step. */
final class Gates {
    private Gates() {}

    static Value gru(Tape tape, Value fromInput, Value fromState, Value h, boolean[] active) {
        int hidden = h.width();
        int batch = h.rows();
        fromInput.require("projected input", batch, 3L * hidden);
        Value y = tape.value(batch, hidden);
        Elements saved = tape.take(3 * batch * hidden); // r, z, n
        Elements x = fromInput.data();
        Elements u = fromState.data();
        for (int b = 0; b < batch; b++) {
            int gates = b * 3 * hidden;
            for (int i = 0; i < hidden; i++) {
                int at = b * hidden + i;
                if (!active[b]) {
                    y.data().set(at, h.data().get(at));
                    continue;
                }
                int r = gates + i;
                int z = r + hidden;
                int n = z + hidden;
                double reset = Elementwise.sigmoid(x.get(r) + u.get(r));
                double keep = Elementwise.sigmoid(x.get(z) + u.get(z));
                double fresh = Math.tanh(x.get(n) + reset * u.get(n));
                saved.set(r, reset);
                saved.set(z, keep);
                saved.set(n, fresh);
                y.data().set(at, (1 - keep) * fresh + keep * h.data().get(at));
            }
        }
        tape.back(y, () -> {
            Elements dx = fromInput.gradientElements();
            Elements du = fromState.gradientElements();
            Elements dh = h.gradientElements();
            Elements up = y.gradientElements();
            for (int b = 0; b < batch; b++) {
                int gates = b * 3 * hidden;
                for (int i = 0; i < hidden; i++) {
                    int at = b * hidden + i;
                    double dy = up.get(at);
                    if (!active[b]) {
                        dh.add(at, dy);
                        continue;
                    }
                    int r = gates + i;
                    int z = r + hidden;
                    int n = z + hidden;
                    double reset = saved.get(r);
                    double keep = saved.get(z);
                    double fresh = saved.get(n);
                    double dn = dy * (1 - keep) * (1 - fresh * fresh);
                    double dz = dy * (h.data().get(at) - fresh) * keep * (1 - keep);
                    double dr = dn * u.get(n) * reset * (1 - reset);
                    dx.add(r, dr);
                    du.add(r, dr);
                    dx.add(z, dz);
                    du.add(z, dz);
                    dx.add(n, dn);
                    du.add(n, dn * reset);
                    dh.add(at, dy * keep);
                }
            }
        });
        return y;
    }

    static State lstm(Tape tape, Value fromInput, Value fromState, Value h, Value c, boolean[] active) {
        int hidden = h.width();
        int batch = h.rows();
        fromInput.require("projected input", batch, 4L * hidden);
        Value next = tape.value(batch, hidden);
        Value memory = tape.value(batch, hidden);
        Elements saved = tape.take(4 * batch * hidden); // i, f, g, o
        for (int b = 0; b < batch; b++) {
            int gates = b * 4 * hidden;
            for (int k = 0; k < hidden; k++) {
                int at = b * hidden + k;
                if (!active[b]) {
                    next.data().set(at, h.data().get(at));
                    memory.data().set(at, c.data().get(at));
                    continue;
                }
                double[] gate = new double[4];
                for (int n = 0; n < 4; n++) {
                    int from = gates + n * hidden + k;
                    double z = fromInput.data().get(from) + fromState.data().get(from);
                    gate[n] = n == 2 ? Math.tanh(z) : Elementwise.sigmoid(z);
                    saved.set(from, gate[n]);
                }
                double carried = gate[1] * c.data().get(at) + gate[0] * gate[2];
                memory.data().set(at, carried);
                next.data().set(at, gate[3] * Math.tanh(carried));
            }
        }
        // Both results share one backward step. Operations that use them are recorded later and therefore run backward
        // before it, so both gradients are complete when this step runs.
        tape.backOfTwo(next, memory, () -> {
            Elements dx = fromInput.gradientElements();
            Elements du = fromState.gradientElements();
            Elements upOutput = next.gradientElements();
            Elements upMemory = memory.gradientElements();
            Elements before = h.gradientElements();
            Elements carriedBefore = c.gradientElements();
            for (int b = 0; b < batch; b++) {
                int gates = b * 4 * hidden;
                for (int k = 0; k < hidden; k++) {
                    int at = b * hidden + k;
                    double dh = upOutput.get(at);
                    double dc = upMemory.get(at);
                    if (!active[b]) {
                        before.add(at, dh);
                        carriedBefore.add(at, dc);
                        continue;
                    }
                    int i = gates + k;
                    int f = i + hidden;
                    int g = f + hidden;
                    int o = g + hidden;
                    double t = Math.tanh(memory.data().get(at));
                    double all = dc + dh * saved.get(o) * (1 - t * t);
                    double di = all * saved.get(g) * saved.get(i) * (1 - saved.get(i));
                    double df = all * c.data().get(at) * saved.get(f) * (1 - saved.get(f));
                    double dg = all * saved.get(i) * (1 - saved.get(g) * saved.get(g));
                    double down = dh * t * saved.get(o) * (1 - saved.get(o));
                    add(dx, du, i, di);
                    add(dx, du, f, df);
                    add(dx, du, g, dg);
                    add(dx, du, o, down);
                    carriedBefore.add(at, all * saved.get(f));
                }
            }
        });
        return new State(next, memory);
    }

    private static void add(Elements a, Elements b, int at, double value) {
        a.add(at, value);
        b.add(at, value);
    }
}
