package dev.heed.backend.reference;

import dev.heed.RotaryInputs;
import dev.heed.RotaryPlan;
import dev.heed.RotaryProblem;
import dev.heed.tensor.Tensor;

/** Rotary position embedding in double, one pair of elements at a time. */
final class ReferenceRotary extends RotaryPlan {
    ReferenceRotary(RotaryProblem problem) {
        super(problem);
    }

    @Override
    public String describe() {
        return "reference rotary embedding, double, one pair at a time";
    }

    @Override
    protected void run(RotaryInputs inputs, Tensor from, Tensor to, int direction) {
        RotaryProblem p = problem();
        long half = p.rotaryDim() / 2;
        for (long b = 0; b < p.batch(); b++) {
            for (long h = 0; h < p.numHeads(); h++) {
                for (long s = 0; s < p.seqLen(); s++) {
                    for (long d = p.rotaryDim(); d < p.headDim(); d++) {
                        to.set(from.get(b, h, s, d), b, h, s, d);
                    }
                    for (long pair = 0; pair < half; pair++) {
                        long first = p.interleaved() ? 2 * pair : pair;
                        long second = p.interleaved() ? 2 * pair + 1 : pair + half;
                        double cos = angle(inputs.cos(), inputs, b, s, pair);
                        double sin = angle(inputs.sin(), inputs, b, s, pair) * direction;
                        double x = from.get(b, h, s, first);
                        double y = from.get(b, h, s, second);
                        to.set(x * cos - y * sin, b, h, s, first);
                        to.set(x * sin + y * cos, b, h, s, second);
                    }
                }
            }
        }
    }

    private static double angle(Tensor table, RotaryInputs inputs, long b, long s, long pair) {
        Tensor positions = inputs.positions();
        return positions == null ? table.get(b, s, pair) : table.get((long) positions.get(b, s), pair);
    }
}
