package dev.heed;

/** No backend, or not the one asked for, can compute a problem. The message holds all reasons of all that were asked. */
public final class UnsupportedAttentionException extends UnsupportedOperationException {
    private static final long serialVersionUID = 1L;

    UnsupportedAttentionException(String message) {
        super(message);
    }
}
