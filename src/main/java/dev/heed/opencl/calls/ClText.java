package dev.heed.opencl.calls;

import java.nio.charset.StandardCharsets;

/** Converts the texts that OpenCL returns, which end at a zero byte. */
public final class ClText {
    private ClText() {}

    public static String of(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        int end = text.indexOf('\0');
        return (end < 0 ? text : text.substring(0, end)).strip();
    }
}
