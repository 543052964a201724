package dev.heed;

/**
 * Thrown when no backend can be selected for a problem, see {@link Backends#select(Problem, String)}. The message lists the
 * reasons of every backend.
 */
public final class UnsupportedAttentionException extends UnsupportedOperationException {
    private static final long serialVersionUID = 1L;

    UnsupportedAttentionException(String message) {
        super(message);
    }
}
