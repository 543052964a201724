package dev.heed.storage;

import dev.heed.tensor.DType;
import dev.heed.tensor.Tensor;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** Test files as bytes, and tensors of every type. */
final class StorageFiles {
    private StorageFiles() {}

    static Tensor numbers(DType type, long... shape) {
        Tensor tensor = Tensor.zeros(type, shape);
        for (long i = 0; i < tensor.elementCount(); i++) {
            tensor.put(i, type == DType.BOOL ? i % 2 : i - 2.5);
        }
        return tensor;
    }

    /** Returns a .npy file of version 1: the magic bytes, a header without padding, and data. */
    static byte[] npy(String header, String hexData) {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        byte[] data = HexFormat.of().parseHex(hexData.replace(" ", ""));
        byte[] file = new byte[10 + text.length + data.length];
        byte[] magic = HexFormat.of().parseHex("934e554d50590100");
        System.arraycopy(magic, 0, file, 0, 8);
        file[8] = (byte) text.length;
        file[9] = (byte) (text.length >> 8);
        System.arraycopy(text, 0, file, 10, text.length);
        System.arraycopy(data, 0, file, 10 + text.length, data.length);
        return file;
    }

    /** Returns a safetensors file with a header and {@code bytes} data bytes, whose values count up from 0. */
    static byte[] safe(String header, int bytes) {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        byte[] file = new byte[8 + text.length + bytes];
        for (int i = 0; i < 8; i++) {
            file[i] = (byte) ((long) text.length >>> 8 * i);
        }
        System.arraycopy(text, 0, file, 8, text.length);
        for (int i = 0; i < bytes; i++) {
            file[8 + text.length + i] = (byte) i;
        }
        return file;
    }
}
