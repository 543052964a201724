package dev.heed.training;

/** Training met a number that is not finite and stopped; the model has the last good parameters. */
public final class NonFiniteException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final long step;
    private final String name;

    NonFiniteException(long step, String name, double number) {
        super("Training met a number that is not finite.\n  expected  finite numbers\n  got       " + number + " in "
                + name + " at step " + step
                + "\nHINT: the model has the parameters from before the step; try a smaller learning rate, or clip the"
                + " gradients");
        this.step = step;
        this.name = name;
    }

    /** {@return the step, counted from 1} */
    public long step() {
        return step;
    }

    /** {@return {@code loss}, the name of a parameter, or {@code gradient of} one} */
    public String name() {
        return name;
    }
}
