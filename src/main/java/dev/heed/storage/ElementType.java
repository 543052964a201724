package dev.heed.storage;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * An element type of the file formats, and the Heed type that represents its values without loss. Integer types that
 * Heed does not have are widened.
 */
enum ElementType {
    F64("F64", "f8", 8, DType.F64),
    F32("F32", "f4", 4, DType.F32),
    F16("F16", "f2", 2, DType.F16),
    BF16("BF16", null, 2, DType.BF16),
    I64("I64", "i8", 8, DType.I64),
    I32("I32", "i4", 4, DType.I32),
    I8("I8", "i1", 1, DType.I8),
    BOOL("BOOL", "b1", 1, DType.BOOL),
    U32("U32", "u4", 4, DType.I64),
    I16("I16", "i2", 2, DType.I32),
    U16("U16", "u2", 2, DType.I32),
    U8("U8", "u1", 1, DType.I32);

    private final String safeName;
    private final @Nullable String numpyName;
    private final int bytes;
    private final DType type;

    ElementType(String safeName, @Nullable String numpyName, int bytes, DType type) {
        this.safeName = safeName;
        this.numpyName = numpyName;
        this.bytes = bytes;
        this.type = type;
    }

    /** {@return the file type with the same elements as a Heed type} */
    static ElementType of(DType type) {
        return switch (type) {
            case F64 -> F64;
            case F32 -> F32;
            case F16 -> F16;
            case BF16 -> BF16;
            case I64 -> I64;
            case I32 -> I32;
            case I8 -> I8;
            case BOOL -> BOOL;
        };
    }

    static @Nullable ElementType ofSafeName(String name) {
        for (ElementType element : values()) {
            if (element.safeName.equals(name)) {
                return element;
            }
        }
        return null;
    }

    /** {@return the type with NumPy's kind and byte count, such as {@code f4}, or null} */
    static @Nullable ElementType ofNumpyName(String name) {
        for (ElementType element : values()) {
            if (name.equals(element.numpyName)) {
                return element;
            }
        }
        return null;
    }

    /** {@return the name of the type in safetensors} */
    String safeName() {
        return safeName;
    }

    /** {@return NumPy's kind and byte count, or null if NumPy has no such type} */
    @Nullable
    String numpyName() {
        return numpyName;
    }

    int bytes() {
        return bytes;
    }

    /**
     * {@return the elements as a tensor} They are not copied if they are in the machine's byte order and in a type that
     * Heed has.
     *
     * @param data the elements of the shape, and no other bytes
     * @param order the byte order of the file
     */
    Tensor read(MemorySegment data, ByteOrder order, long[] shape) {
        boolean asTheyAre = of(type) == this;
        if (asTheyAre && (bytes == 1 || order == ByteOrder.nativeOrder())) {
            return Tensor.of(data, type, shape);
        }
        Tensor tensor = Tensor.zeros(type, shape);
        if (asTheyAre) {
            swapBytes(data, order, tensor.segment(), ByteOrder.nativeOrder());
        } else {
            long count = data.byteSize() / bytes;
            for (long i = 0; i < count; i++) {
                tensor.put(i, integer(data, order, i * bytes)); // at most 32 bits, which a double holds exactly
            }
        }
        return tensor;
    }

    private long integer(MemorySegment data, ByteOrder order, long at) {
        return switch (this) {
            case U8 -> data.get(JAVA_BYTE, at) & 0xFF;
            case I16 -> data.get(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(order), at);
            case U16 -> data.get(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(order), at) & 0xFFFF;
            default -> Integer.toUnsignedLong(data.get(ValueLayout.JAVA_INT_UNALIGNED.withOrder(order), at));
        };
    }

    /**
     * {@return the elements of a tensor of this type in row-major order, little-endian; not copied if they are already
     * stored in this form}
     */
    MemorySegment write(Tensor tensor) {
        if (tensor.scales() != null) {
            throw new InvalidInputException(
                    "Files of this format cannot store scales",
                    "elements without scales",
                    tensor.toString(),
                    "write tensor.to(DType.F32), or the bytes and the scales as two tensors");
        }
        Tensor host = tensor.toHost();
        Tensor packed = host.isContiguous() ? host : host.copy();
        long size = packed.elementCount() * bytes;
        MemorySegment data = packed.segment().asSlice(packed.offset() * bytes, size);
        if (bytes == 1 || ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN) {
            return data;
        }
        MemorySegment swapped = Tensor.zeros(type, packed.shape()).segment();
        swapBytes(data, ByteOrder.nativeOrder(), swapped, ByteOrder.LITTLE_ENDIAN);
        return swapped;
    }

    /** Copies elements from one byte order to another. */
    private void swapBytes(MemorySegment from, ByteOrder fromOrder, MemorySegment to, ByteOrder toOrder) {
        long count = from.byteSize() / bytes;
        switch (bytes) {
            case 8 -> copy(from, ValueLayout.JAVA_LONG_UNALIGNED, fromOrder, to, toOrder, count);
            case 4 -> copy(from, ValueLayout.JAVA_INT_UNALIGNED, fromOrder, to, toOrder, count);
            default -> copy(from, ValueLayout.JAVA_SHORT_UNALIGNED, fromOrder, to, toOrder, count);
        }
    }

    private static void copy(
            MemorySegment from,
            ValueLayout element,
            ByteOrder fromOrder,
            MemorySegment to,
            ByteOrder toOrder,
            long count) {
        MemorySegment.copy(from, element.withOrder(fromOrder), 0, to, element.withOrder(toOrder), 0, count);
    }
}
