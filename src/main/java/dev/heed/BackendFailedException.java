package dev.heed;

import org.jspecify.annotations.Nullable;

/**
 * A backend that began a call and could not end it: its device ran out of memory, was lost, or refused a kernel. Nothing was
 * written. The calls of {@link Attention} then go on with the next backend, unless this one was asked for by name.
 */
public final class BackendFailedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates the report.
     *
     * @param message what failed, with the case and a last line HINT
     * @param cause what the device's layer said, or null
     */
    public BackendFailedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
