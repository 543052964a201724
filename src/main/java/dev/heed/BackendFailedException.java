package dev.heed;

import org.jspecify.annotations.Nullable;

/**
 * Thrown when a backend starts a call and cannot finish it: its device ran out of memory, was lost, or rejected a kernel. No
 * output was written. The methods of {@link Attention} then compute with the next backend, unless the failed backend was
 * requested by name or {@code heed.strict} is true.
 */
public final class BackendFailedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates the exception.
     *
     * @param message the failure with the case string, and a HINT as its last line
     * @param cause the exception thrown by the driver layer of the device, or null
     */
    public BackendFailedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
