package dev.heed.storage;

import dev.heed.tensor.InvalidInputException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;

/**
 * The bytes of a file, and its name in error messages. Its methods check the lengths that the file states before using
 * them.
 *
 * @param source the name in error messages
 * @param bytes the bytes, read-only
 */
record StoredBytes(String source, MemorySegment bytes) {
    private static final int CHUNK = 1 << 20;

    /** {@return a file, mapped and not copied; pages are read on first access} */
    static StoredBytes map(Path file) {
        String source = name(file);
        try (FileChannel channel = FileChannel.open(file)) {
            return new StoredBytes(
                    source, channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto()));
        } catch (IOException e) {
            throw unreadable(source, e);
        }
    }

    static StoredBytes of(byte[] bytes, String source) {
        return new StoredBytes(source, MemorySegment.ofArray(bytes).asReadOnly());
    }

    static String name(Path file) {
        Path name = file.getFileName();
        return name == null ? file.toString() : name.toString();
    }

    static InvalidInputException unreadable(String source, Exception e) {
        return new InvalidInputException(
                source + " cannot be read",
                "a readable file",
                e.getClass().getSimpleName() + ": " + e.getMessage(),
                "check the path");
    }

    static InvalidInputException damaged(String source, String expected, String got) {
        return new InvalidInputException(
                source + " is damaged, or not what its name says",
                expected,
                got,
                "write the file again, or fetch it again and compare its size");
    }

    InvalidInputException damaged(String expected, String got) {
        return damaged(source, expected, got);
    }

    long size() {
        return bytes.byteSize();
    }

    /** {@return a slice of the bytes} */
    MemorySegment slice(long from, long size) {
        if (from < 0 || size < 0 || from > size() || size > size() - from) {
            throw damaged(size + " bytes from byte " + from, "a file of " + size() + " bytes");
        }
        return bytes.asSlice(from, size);
    }

    byte[] array(long from, long size) {
        return slice(from, size).toArray(ValueLayout.JAVA_BYTE);
    }

    /**
     * {@return the size in bytes of the elements of a shape}
     *
     * @param what the tensor, for error messages
     * @throws InvalidInputException if an axis is empty, or the size does not fit in a long
     */
    static long bytes(String what, ElementType element, long[] shape) {
        long bytes = element.bytes();
        for (long size : shape) {
            if (size < 1) {
                throw new InvalidInputException(
                        what + " has no elements",
                        "sizes of 1 or more",
                        Arrays.toString(shape),
                        "leave empty arrays out of the file");
            }
            if (Math.multiplyHigh(bytes, size) != 0 || bytes * size < 0) {
                throw damaged(what, "a shape that fits into memory", Arrays.toString(shape));
            }
            bytes *= size;
        }
        return bytes;
    }

    /**
     * Writes a file atomically, if the file system can: readers, including those that map the file, see either the
     * older file or the complete new one.
     *
     * @throws IOException if the file cannot be written; an older file then stays unchanged
     */
    static void write(Path file, byte[] head, List<MemorySegment> data) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null || Files.isDirectory(file)) {
            throw new FileSystemException(file.toString(), null, "Is a directory");
        }
        Path beside = folder.resolve("." + name(file) + "." + UUID.randomUUID() + ".part");
        try {
            // Files.createTempFile is not used, because only the owner could read the file that it creates, and the
            // temporary file becomes the final one.
            try (FileChannel channel =
                    FileChannel.open(beside, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                writeAll(channel, MemorySegment.ofArray(head));
                for (MemorySegment segment : data) {
                    writeAll(channel, segment);
                }
            }
            replace(beside, file);
        } finally {
            Files.deleteIfExists(beside);
        }
    }

    /** Writes in chunks, because a segment over an array of a type other than byte cannot become a ByteBuffer. */
    private static void writeAll(FileChannel channel, MemorySegment segment) throws IOException {
        byte[] chunk = new byte[(int) Math.min(CHUNK, segment.byteSize())];
        for (long at = 0; at < segment.byteSize(); at += chunk.length) {
            int size = (int) Math.min(chunk.length, segment.byteSize() - at);
            MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, at, chunk, 0, size);
            ByteBuffer buffer = ByteBuffer.wrap(chunk, 0, size);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        }
    }

    private static void replace(Path beside, Path file) throws IOException {
        try {
            Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(beside, file, StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
