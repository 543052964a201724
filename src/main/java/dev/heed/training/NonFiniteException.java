package dev.heed.training;

/**
 * An exception that reports a non-finite loss, gradient or parameter. The training step stops, and the model keeps the
 * last finite parameters.
 */
public final class NonFiniteException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final long step;
    private final String name;

    NonFiniteException(long step, String name, double number) {
        super("Training stopped at a non-finite value.\n  expected  finite values\n  got       " + number + " in "
                + name + " at step " + step
                + "\nHINT: the model has the parameters from before the step; try a smaller learning rate, or clip the"
                + " gradients");
        this.step = step;
        this.name = name;
    }

    /** {@return the step, counted from 1; 0 for a parameter that was non-finite before training} */
    public long step() {
        return step;
    }

    /** {@return {@code loss}, the name of a parameter, or {@code gradient of} and the name of a parameter} */
    public String name() {
        return name;
    }
}
