package dev.heed.onnx;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.heed.tensor.InvalidInputException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * An iterator over the fields of one protobuf message, which is not copied. Every length is checked against the
 * remaining bytes of the message before it is used, so damaged bytes can only lead to an {@link InvalidInputException}
 * that names the file.
 *
 * <pre>{@code
 * while (message.next()) {
 *     switch (message.field()) {
 *         case 8 -> name = message.text();
 *         default -> message.skip();
 *     }
 * }
 * }</pre>
 */
final class WireReader {
    static final int VARINT = 0;
    static final int FIXED64 = 1;
    static final int BYTES = 2;
    static final int FIXED32 = 5;

    private static final long LONGEST_TEXT = 1 << 20; // maximum bytes of a name or text
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final String source;
    private final MemorySegment bytes;
    private final long base; // offset of this message in the file, for error messages
    private long at;
    private int field;
    private int wireType;

    private WireReader(String source, MemorySegment bytes, long base) {
        this.source = source;
        this.bytes = bytes;
        this.base = base;
    }

    /** {@return a reader of a file, mapped and not copied; pages are read on first access} */
    static WireReader map(Path file) {
        Path name = file.getFileName();
        String source = name == null ? file.toString() : name.toString();
        try (FileChannel channel = FileChannel.open(file)) {
            MemorySegment bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto());
            return new WireReader(source, bytes, 0);
        } catch (IOException e) {
            throw unreadable(source, e);
        }
    }

    /** {@return a reader of the remaining bytes of a stream} */
    static WireReader drain(InputStream stream, String source) {
        try {
            byte[] bytes = stream.readNBytes(Integer.MAX_VALUE - 8);
            if (stream.read() >= 0) {
                throw new InvalidInputException(
                        source + " is too long for a stream",
                        "less than 2 GiB",
                        "more",
                        "write it to a file and read that");
            }
            return of(bytes, source);
        } catch (IOException e) {
            throw unreadable(source, e);
        }
    }

    static WireReader of(byte[] bytes, String source) {
        return new WireReader(source, MemorySegment.ofArray(bytes).asReadOnly(), 0);
    }

    private static InvalidInputException unreadable(String source, IOException e) {
        return new InvalidInputException(
                source + " cannot be read",
                "a readable file",
                e.getClass().getSimpleName() + ": " + e.getMessage(),
                "check the path");
    }

    // ---------------------------------------------------------------- fields

    /** {@return whether the message has another field} The caller must then read or skip this field. */
    boolean next() {
        if (at == bytes.byteSize()) {
            return false;
        }
        long tag = varint();
        wireType = (int) (tag & 7);
        field = (int) (tag >>> 3);
        boolean known = wireType == VARINT || wireType == FIXED64 || wireType == BYTES || wireType == FIXED32;
        if (!known || tag >>> 32 != 0 || field == 0) {
            throw damaged("a protobuf field", "tag " + Long.toUnsignedString(tag));
        }
        return true;
    }

    int field() {
        return field;
    }

    int wireType() {
        return wireType;
    }

    boolean atEnd() {
        return at == bytes.byteSize();
    }

    long integer() {
        require(VARINT);
        return varint();
    }

    float float32() {
        require(FIXED32);
        return Float.intBitsToFloat(fixed32());
    }

    String text() {
        MemorySegment text = payload();
        if (text.byteSize() > LONGEST_TEXT) {
            throw damaged("a text of at most " + LONGEST_TEXT + " bytes", text.byteSize() + " bytes");
        }
        return new String(text.toArray(JAVA_BYTE), StandardCharsets.UTF_8);
    }

    /** {@return the bytes of the field, not copied} */
    MemorySegment payload() {
        require(BYTES);
        long length = varint();
        if (length < 0 || length > left()) {
            throw damaged("at most " + left() + " bytes", "a length of " + Long.toUnsignedString(length));
        }
        MemorySegment payload = bytes.asSlice(at, length);
        at += length;
        return payload;
    }

    /** {@return a reader of the message in the field} */
    WireReader message() {
        MemorySegment payload = payload();
        return new WireReader(source, payload, base + at - payload.byteSize());
    }

    void skip() {
        switch (wireType) {
            case VARINT -> varint();
            case FIXED64 -> fixed64();
            case FIXED32 -> fixed32();
            default -> payload();
        }
    }

    // ---------------------------------------------------------------- values without a tag, as in packed fields

    long varint() {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (atEnd()) {
                throw damaged("a number that ends", "the end of the message");
            }
            byte part = bytes.get(JAVA_BYTE, at++);
            value |= (part & 0x7fL) << shift;
            if (part >= 0) {
                return value;
            }
        }
        throw damaged("a number of 10 bytes or less", "a longer one");
    }

    int fixed32() {
        requireLeft(4);
        at += 4;
        return bytes.get(INT, at - 4);
    }

    long fixed64() {
        requireLeft(8);
        at += 8;
        return bytes.get(LONG, at - 8);
    }

    // ---------------------------------------------------------------- helpers

    /** {@return a reader of the same message from its beginning} */
    WireReader again() {
        return new WireReader(source, bytes, base);
    }

    long size() {
        return bytes.byteSize();
    }

    String source() {
        return source;
    }

    InvalidInputException damaged(String expected, String got) {
        return new InvalidInputException(
                source + " is damaged, or not what its name says",
                expected,
                got + " at byte " + (base + at),
                "fetch the file again and compare its size");
    }

    private long left() {
        return bytes.byteSize() - at;
    }

    private void requireLeft(int count) {
        if (left() < count) {
            throw damaged(count + " bytes", left() + " bytes");
        }
    }

    private void require(int type) {
        if (wireType != type) {
            throw damaged("wire type " + type + " for field " + field, "wire type " + wireType);
        }
    }
}
