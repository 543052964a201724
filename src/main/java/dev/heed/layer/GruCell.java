package dev.heed.layer;

import dev.heed.Activation;
import dev.heed.tensor.Tensor;

/**
 * A gated recurrent unit (GRU): a recurrent cell with a reset gate {@code r} and an update gate {@code z} (Cho et al.
 * 2014, section 2.3). The reset gate multiplies {@code h U_n + c_n}, as in cuDNN; in the paper, it multiplies
 * {@code h}. The columns of the weights hold the gates in the order r, z, n:
 *
 * <pre>
 * r = sigmoid(x W_r + b_r + h U_r + c_r)
 * z = sigmoid(x W_z + b_z + h U_z + c_z)
 * n = tanh(x W_n + b_n + r (h U_n + c_n))
 * h' = (1 - z) n + z h
 * </pre>
 *
 * @param inputWeight {@code W}, {@code [in, 3 hidden]}
 * @param stateWeight {@code U}, {@code [hidden, 3 hidden]}
 * @param inputBias {@code b}, {@code [3 hidden]}
 * @param stateBias {@code c}, {@code [3 hidden]}
 */
public record GruCell(Tensor inputWeight, Tensor stateWeight, Tensor inputBias, Tensor stateBias)
        implements Layer<GruCell>, RecurrentCell {
    /** {@return a cell with Glorot-initialised {@code W}, orthogonal {@code U} and biases of zeros} */
    public static GruCell create(Initial initial, int in, int hidden) {
        return new GruCell(
                initial.glorot(in, 3L * hidden),
                initial.orthogonal(hidden, 3),
                initial.zeros(3L * hidden),
                initial.zeros(3L * hidden));
    }

    @Override
    public GruCell map(Change change) {
        return new GruCell(
                change.apply("inputWeight", inputWeight),
                change.apply("stateWeight", stateWeight),
                change.apply("inputBias", inputBias),
                change.apply("stateBias", stateBias));
    }

    @Override
    public int hidden() {
        return (int) stateWeight.size(0);
    }

    @Override
    public State start(Tape tape, int batch) {
        return new State(zeros(tape, batch), null);
    }

    private Value zeros(Tape tape, int batch) {
        Value h = tape.value(batch, hidden());
        h.data().clear();
        return h;
    }

    @Override
    public Value project(Tape tape, Value x) {
        return tape.linear(x, tape.parameter(inputWeight), tape.parameter(inputBias), Activation.IDENTITY);
    }

    @Override
    public State step(Tape tape, Value projected, State state, boolean[] active) {
        Value h = state.output();
        Value own = tape.linear(h, tape.parameter(stateWeight), tape.parameter(stateBias), Activation.IDENTITY);
        return new State(Gates.gru(tape, projected, own, h, active), null);
    }
}
