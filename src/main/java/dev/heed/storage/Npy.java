package dev.heed.storage;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * A reader and writer for NumPy's .npy format, a file with one array.
 *
 * <pre>{@code
 * Tensor weights = Npy.read(Path.of("weights.npy")); // np.save("weights.npy", weights)
 * }</pre>
 *
 * <p>Unsigned integers of 8 bits and all integers of 16 bits are read as i32, unsigned integers of 32 bits as i64. Both
 * byte orders and both orders of the axes are supported.
 */
public final class Npy {
    private Npy() {}

    /**
     * {@return the array in a file} The tensor shares the memory of the mapped file if its elements need no conversion.
     * The tensor is then read-only, and the file must not change while the tensor is in use. {@link #write} replaces
     * the file and does not affect the tensor.
     *
     * @throws InvalidInputException if the file cannot be read, holds no array, or holds an array of an unsupported
     *     type
     */
    public static Tensor read(Path file) {
        return read(StoredBytes.map(file));
    }

    /**
     * {@return the array stored in the given bytes, which are not copied}
     *
     * @param name the name of the bytes in error messages
     * @throws InvalidInputException if the bytes hold no array, or hold an array of an unsupported type
     */
    public static Tensor read(byte[] bytes, String name) {
        return read(StoredBytes.of(bytes, name));
    }

    /**
     * {@return the array in the remaining bytes of a stream} There must be less than 2 GiB of them. The stream is not
     * closed.
     *
     * @param name the name of the stream in error messages
     * @throws IOException if the stream cannot be read
     * @throws InvalidInputException if the stream holds no array, or holds an array of an unsupported type
     */
    public static Tensor read(InputStream stream, String name) throws IOException {
        return read(stream.readNBytes(Integer.MAX_VALUE - 8), name);
    }

    static Tensor read(StoredBytes file) {
        NpyHeader header = NpyHeader.read(file);
        long bytes = StoredBytes.bytes(file.source(), header.element(), header.shape());
        long left = file.size() - header.dataStart();
        if (left != bytes) {
            throw file.damaged(bytes + " bytes for the shape " + Arrays.toString(header.shape()), left + " bytes");
        }
        MemorySegment data = file.slice(header.dataStart(), bytes);
        if (!header.fortran()) {
            return header.element().read(data, header.order(), header.shape());
        }
        long[] reversed = header.shape().clone();
        for (int i = 0; i < reversed.length; i++) {
            reversed[i] = header.shape()[reversed.length - 1 - i];
        }
        Tensor tensor = header.element().read(data, header.order(), reversed);
        for (int i = 0; i < reversed.length / 2; i++) {
            tensor = tensor.transpose(i, reversed.length - 1 - i);
        }
        return tensor;
    }

    /**
     * Writes a tensor to a file with the same bytes as NumPy, replacing an older file. NumPy has no bf16: a bf16 tensor
     * is written as f32, which represents all bf16 values.
     *
     * @throws IOException if the file cannot be written; an older file then stays unchanged
     * @throws InvalidInputException if the tensor has scales
     */
    public static void write(Path file, Tensor tensor) throws IOException {
        Tensor written = tensor.type() == DType.BF16 ? tensor.toHost().to(DType.F32) : tensor;
        ElementType element = ElementType.of(written.type());
        StoredBytes.write(file, NpyHeader.write(element, written.shape()), List.of(element.write(written)));
    }
}
