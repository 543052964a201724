package dev.heed;

/**
 * Thrown when the requested backend, or every backend, does not support a problem. The message lists the reasons of every
 * backend.
 */
public final class UnsupportedAttentionException extends UnsupportedOperationException {
    private static final long serialVersionUID = 1L;

    UnsupportedAttentionException(String message) {
        super(message);
    }
}
