package dev.heed.layer;

import dev.heed.Activation;
import dev.heed.tensor.Tensor;
import java.util.Objects;

/**
 * A long short-term memory (LSTM): a recurrent cell that carries a memory {@code c} in addition to its output {@code h}.
 * It has a forget gate and no peepholes (Hochreiter and Schmidhuber 1997; Gers et al. 2000). The columns of the weights
 * hold the gates in the order i, f, g, o:
 *
 * <pre>
 * i, f, o = sigmoid(x W + b + h U)      g = tanh(x W + b + h U)
 * c' = f c + i g                        h' = o tanh(c')
 * </pre>
 *
 * @param inputWeight {@code W}, {@code [in, 4 hidden]}
 * @param stateWeight {@code U}, {@code [hidden, 4 hidden]}
 * @param bias {@code b}, {@code [4 hidden]}
 */
public record LstmCell(Tensor inputWeight, Tensor stateWeight, Tensor bias) implements Layer<LstmCell>, RecurrentCell {
    /**
     * {@return a cell with Glorot-initialised {@code W}, orthogonal {@code U} and biases of zeros, except 1 for the forget
     * gate}
     */
    public static LstmCell create(Initial initial, int in, int hidden) {
        Tensor bias = initial.zeros(4L * hidden);
        bias.slice(0, hidden, 2L * hidden).fill(1);
        return new LstmCell(initial.glorot(in, 4L * hidden), initial.orthogonal(hidden, 4), bias);
    }

    @Override
    public LstmCell map(Change change) {
        return new LstmCell(
                change.apply("inputWeight", inputWeight),
                change.apply("stateWeight", stateWeight),
                change.apply("bias", bias));
    }

    @Override
    public int hidden() {
        return (int) stateWeight.size(0);
    }

    @Override
    public State start(Tape tape, int batch) {
        Value h = tape.value(batch, hidden());
        Value c = tape.value(batch, hidden());
        h.data().clear();
        c.data().clear();
        return new State(h, c);
    }

    @Override
    public Value project(Tape tape, Value x) {
        return tape.linear(x, tape.parameter(inputWeight), tape.parameter(bias), Activation.IDENTITY);
    }

    @Override
    public State step(Tape tape, Value projected, State state, boolean[] active) {
        Value own = tape.linear(state.output(), tape.parameter(stateWeight), null, Activation.IDENTITY);
        return Gates.lstm(tape, projected, own, state.output(), Objects.requireNonNull(state.cell()), active);
    }
}
