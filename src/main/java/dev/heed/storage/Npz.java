package dev.heed.storage;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** A reader for NumPy's .npz format: a zip file of several .npy files, compressed or not. */
public final class Npz {
    private static final String ENDING = ".npy";

    /** Maximum ratio of unpacked to packed size of a deflate stream. */
    private static final long MOST_UNPACKED = 1040;

    private static final int CHUNK = 1 << 16;

    private Npz() {}

    /**
     * {@return the arrays of a file by name, in the order of the file} They are copied into memory. Entries that do not
     * end in .npy are skipped, as in NumPy.
     *
     * @throws InvalidInputException if the file cannot be read, is damaged, or holds an array of an unsupported type
     */
    public static Map<String, Tensor> read(Path file) {
        String source = StoredBytes.name(file);
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        try (var zip = new ZipFile(file.toFile())) {
            for (ZipEntry entry : Collections.list(zip.entries())) {
                if (!entry.getName().endsWith(ENDING)) {
                    continue;
                }
                String name = entry.getName().substring(0, entry.getName().length() - ENDING.length());
                String what = entry.getName() + " in " + source;
                if (tensors.put(name, Npy.read(unpack(zip, entry, what))) != null) {
                    throw StoredBytes.damaged(source, "each name once", name + " twice");
                }
            }
        } catch (IOException | IllegalArgumentException e) {
            if (e instanceof InvalidInputException invalid) {
                throw invalid;
            }
            throw StoredBytes.unreadable(source, e);
        }
        return Collections.unmodifiableMap(tensors);
    }

    /**
     * Unpacks an entry. The sizes are checked before memory is allocated, and the checksum after all bytes are read.
     */
    private static StoredBytes unpack(ZipFile zip, ZipEntry entry, String what) throws IOException {
        long size = entry.getSize();
        long packed = entry.getCompressedSize();
        if (size < 0 || packed < 0 || size / MOST_UNPACKED > packed) {
            throw StoredBytes.damaged(what, "sizes that a zip can have", packed + " bytes unpacked to " + size);
        }
        MemorySegment bytes = size < Integer.MAX_VALUE - 8
                ? MemorySegment.ofArray(new byte[(int) size])
                : Arena.ofAuto().allocate(size, 64);
        var sum = new CRC32();
        byte[] chunk = new byte[CHUNK];
        long at = 0;
        try (InputStream stream = new BufferedInputStream(zip.getInputStream(entry))) {
            for (int read = stream.read(chunk); read >= 0; read = stream.read(chunk)) {
                if (read > size - at) {
                    throw StoredBytes.damaged(what, size + " bytes", "more");
                }
                sum.update(chunk, 0, read);
                MemorySegment.copy(MemorySegment.ofArray(chunk), 0, bytes, at, read);
                at += read;
            }
        }
        if (at != size || sum.getValue() != entry.getCrc()) {
            throw StoredBytes.damaged(
                    what, size + " bytes of checksum " + entry.getCrc(), at + " bytes of " + sum.getValue());
        }
        return new StoredBytes(what, bytes.asReadOnly());
    }
}
