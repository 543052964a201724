package dev.heed.onnx;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A tensor as an ONNX file stores it ({@code TensorProto}). The elements are not read until {@link #tensor} is called.
 * Tensors of unsupported types can be listed but not converted.
 */
public final class OnnxTensor {
    private static final String[] TYPE_NAMES = {
        "undefined",
        "float",
        "uint8",
        "int8",
        "uint16",
        "int16",
        "int32",
        "int64",
        "string",
        "bool",
        "float16",
        "double",
        "uint32",
        "uint64",
        "complex64",
        "complex128",
        "bfloat16"
    };
    private static final int FLOAT_DATA = 4;
    private static final int INT32_DATA = 5;
    private static final int INT64_DATA = 7;
    private static final int DOUBLE_DATA = 10;
    private static final int EXTERNAL = 1;

    private final WireReader message;
    private final String name;
    private final long typeCode;
    private final long[] shape;
    private final @Nullable MemorySegment raw;
    private final boolean external;

    private OnnxTensor(
            WireReader message,
            String name,
            long typeCode,
            long[] shape,
            @Nullable MemorySegment raw,
            boolean external) {
        this.message = message;
        this.name = name;
        this.typeCode = typeCode;
        this.shape = shape;
        this.raw = raw;
        this.external = external;
    }

    /**
     * {@return the tensor in a file, such as {@code input_0.pb}} The file is mapped and must not change while the tensor
     * is in use.
     *
     * @throws InvalidInputException if the file cannot be read or holds no tensor
     */
    public static OnnxTensor read(Path file) {
        return parse(WireReader.map(file));
    }

    /**
     * {@return the tensor in the remaining bytes of a stream} The stream is not closed.
     *
     * @param name the name of the stream in error messages
     * @throws InvalidInputException if the stream cannot be read or holds no tensor
     */
    public static OnnxTensor read(InputStream stream, String name) {
        return parse(WireReader.drain(stream, name));
    }

    /**
     * {@return the tensor in an array, which is not copied}
     *
     * @param name the name of the array in error messages
     * @throws InvalidInputException if the array holds no tensor
     */
    public static OnnxTensor read(byte[] bytes, String name) {
        return parse(WireReader.of(bytes, name));
    }

    static OnnxTensor parse(WireReader message) {
        String name = "";
        long typeCode = 0;
        long[] dims = new long[4];
        int rank = 0;
        MemorySegment raw = null;
        boolean external = false;
        while (message.next()) {
            switch (message.field()) {
                case 1 -> {
                    boolean packed = message.wireType() == WireReader.BYTES;
                    WireReader sizes = packed ? message.message() : message;
                    while (!packed || !sizes.atEnd()) {
                        dims = rank == dims.length ? Arrays.copyOf(dims, 2 * rank) : dims;
                        dims[rank++] = packed ? sizes.varint() : sizes.integer();
                        if (!packed) {
                            break;
                        }
                    }
                }
                case 2 -> typeCode = message.integer();
                case 8 -> name = message.text();
                case 9 -> raw = message.payload();
                case 14 -> external = message.integer() == EXTERNAL;
                default -> message.skip();
            }
        }
        if (typeCode == 0) {
            throw message.damaged("a tensor with an element type", "none");
        }
        return new OnnxTensor(message, name, typeCode, Arrays.copyOf(dims, rank), raw, external);
    }

    /** {@return the name; empty if the tensor has none} */
    public String name() {
        return name;
    }

    /** {@return a copy of the sizes of the axes; empty for a scalar} */
    public long[] shape() {
        return shape.clone();
    }

    /** {@return the element type of {@link #tensor}, or null if Heed does not support the type} */
    public @Nullable DType type() {
        return switch (Math.clamp(typeCode, -1, 99)) {
            case 1 -> DType.F32;
            case 3 -> DType.I8;
            case 6 -> DType.I32;
            case 7 -> DType.I64;
            case 9 -> DType.BOOL;
            case 10 -> DType.F16;
            case 11 -> DType.F64;
            case 16 -> DType.BF16;
            default -> null;
        };
    }

    /** {@return ONNX's name of the element type: float, float16, int64, string ...} */
    public String typeName() {
        return typeCode > 0 && typeCode < TYPE_NAMES.length ? TYPE_NAMES[(int) typeCode] : "type " + typeCode;
    }

    /**
     * {@return the elements} Raw data are not copied: the tensor is read-only and shares the bytes of the file.
     * Elements that the file encodes in typed fields are copied.
     *
     * @throws InvalidInputException if the data are damaged, in another file, empty, or of an unsupported type, or if
     *     the machine is big-endian
     */
    public Tensor tensor() {
        DType type = type();
        if (type == null) {
            throw new InvalidInputException(
                    "Heed has no type for the elements of " + this,
                    "float, double, float16, bfloat16, int8, int32, int64 or bool",
                    typeName(),
                    "cast the tensor before saving it");
        }
        if (external) {
            throw new InvalidInputException(
                    "The data of " + this + " are stored in another file",
                    "data inside the file",
                    "external data",
                    "save the model as one file: onnx.save_model(model, path, save_as_external_data=False)");
        }
        if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
            throw new InvalidInputException(
                    "ONNX stores little-endian numbers",
                    "a little-endian machine",
                    ByteOrder.nativeOrder().toString(),
                    "read the file on a little-endian machine");
        }
        long bytes = bytes(type);
        if (raw != null) {
            if (raw.byteSize() != bytes) {
                throw damaged(bytes + " bytes of raw data", raw.byteSize() + " bytes");
            }
            return Tensor.of(raw, type, shape);
        }
        // An element takes at least one byte. A shape with more elements than the message has bytes is rejected here,
        // before memory is allocated.
        if (bytes / type.bytes() > message.size()) {
            throw damaged(bytes / type.bytes() + " elements", "a message of " + message.size() + " bytes");
        }
        return decoded(type);
    }

    private long bytes(DType type) {
        long bytes = type.bytes();
        for (long size : shape) {
            if (size < 1) {
                throw damaged("sizes of 1 or more", Arrays.toString(shape));
            }
            if (Math.multiplyHigh(bytes, size) != 0 || bytes * size < 0) {
                throw damaged("a shape that fits into memory", Arrays.toString(shape));
            }
            bytes *= size;
        }
        return bytes;
    }

    private Tensor decoded(DType type) {
        int dataField = switch (type) {
            case F32 -> FLOAT_DATA;
            case F64 -> DOUBLE_DATA;
            case I64 -> INT64_DATA;
            case I32, I8, BOOL, F16, BF16 -> INT32_DATA;
        };
        Tensor tensor = Tensor.zeros(type, shape);
        long count = tensor.elementCount();
        long index = 0;
        WireReader fields = message.again();
        while (fields.next()) {
            if (fields.field() != dataField) {
                fields.skip();
                continue;
            }
            boolean packed = fields.wireType() == WireReader.BYTES;
            int single =
                    type == DType.F32 ? WireReader.FIXED32 : type == DType.F64 ? WireReader.FIXED64 : WireReader.VARINT;
            if (!packed && fields.wireType() != single) {
                throw fields.damaged("wire type " + single, "wire type " + fields.wireType());
            }
            WireReader values = packed ? fields.message() : fields;
            while (!packed || !values.atEnd()) {
                if (index == count) {
                    throw damaged(count + " elements", "more");
                }
                store(tensor.segment(), type, index++, values);
                if (!packed) {
                    break;
                }
            }
        }
        if (index != count) {
            throw damaged(count + " elements", index + " elements");
        }
        return tensor;
    }

    private static void store(MemorySegment segment, DType type, long index, WireReader values) {
        long offset = index * type.bytes();
        switch (type) {
            case F32 -> segment.set(JAVA_INT_UNALIGNED, offset, values.fixed32());
            case F64 -> segment.set(JAVA_LONG_UNALIGNED, offset, values.fixed64());
            case I64 -> segment.set(JAVA_LONG_UNALIGNED, offset, values.varint());
            case I32 -> segment.set(JAVA_INT_UNALIGNED, offset, (int) values.varint());
            case I8 -> segment.set(JAVA_BYTE, offset, (byte) values.varint());
            case BOOL -> segment.set(JAVA_BYTE, offset, (byte) (values.varint() == 0 ? 0 : 1));
            // The low 16 bits of the integer hold the bits of the element.
            case F16, BF16 -> segment.set(JAVA_SHORT_UNALIGNED, offset, (short) values.varint());
        }
    }

    private InvalidInputException damaged(String expected, String got) {
        return new InvalidInputException(
                "The data of " + this + " do not fill its shape",
                expected,
                got,
                "fetch the file again and compare its size");
    }

    /** {@return type, shape, name and file, such as {@code float[2, 3] "Q" of input_0.pb}} */
    @Override
    public String toString() {
        return typeName() + Arrays.toString(shape) + (name.isEmpty() ? "" : " \"" + name + "\"") + " of "
                + message.source();
    }
}
