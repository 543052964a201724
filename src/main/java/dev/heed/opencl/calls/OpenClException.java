package dev.heed.opencl.calls;

/** Reports an OpenCL call that failed: its name, the error code, and a hint. */
public class OpenClException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int code;
    private final String call;

    public OpenClException(String call, int code) {
        this(call, code, "", ErrorCode.hint(code));
    }

    /** Creates an exception with a detail, which follows the code in the message. */
    public OpenClException(String call, int code, String detail, String hint) {
        super(call + ": " + ErrorCode.name(code) + " (" + code + ")" + (detail.isEmpty() ? "" : ", " + detail)
                + "\nHINT: " + hint);
        this.code = code;
        this.call = call;
    }

    /** {@return OpenCL's error code, a negative number} */
    public final int code() {
        return code;
    }

    /** {@return the code's name in OpenCL's headers} */
    public final String codeName() {
        return ErrorCode.name(code);
    }

    /** {@return the OpenCL function that failed, or a description of the command that failed} */
    public final String call() {
        return call;
    }

    /** {@return whether the memory of a buffer could not be allocated} */
    public final boolean isAllocationFailure() {
        return code == ErrorCode.MEM_OBJECT_ALLOCATION_FAILURE;
    }

    /** {@return whether a smaller problem could succeed} */
    public final boolean isOutOfMemory() {
        return switch (code) {
            case ErrorCode.MEM_OBJECT_ALLOCATION_FAILURE,
                    ErrorCode.OUT_OF_RESOURCES,
                    ErrorCode.OUT_OF_HOST_MEMORY,
                    ErrorCode.INVALID_BUFFER_SIZE -> true;
            default -> false;
        };
    }
}
