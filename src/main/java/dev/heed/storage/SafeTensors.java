package dev.heed.storage;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A safetensors file: a JSON header, followed by the bytes of named tensors.
 *
 * <pre>{@code
 * SafeTensors.write(Path.of("layer.safetensors"), Map.of("weight", weight, "bias", bias));
 * Tensor weight = SafeTensors.read(Path.of("layer.safetensors")).get("weight");
 * }</pre>
 *
 * <p>The file is mapped: {@link #open} reads only the header, and {@link #tensor} only the bytes of the tensor. A
 * tensor that needs no conversion is read-only and shares the memory of the mapped file; {@link Tensor#copy} returns a
 * writable one. The file must not change while such a tensor is in use. {@link #write} replaces the file with a new one
 * and does not affect the tensors.
 *
 * <p>Unsigned integers of 8 bits and all integers of 16 bits are read as i32, unsigned integers of 32 bits as i64.
 * Tensors of unsupported types can be listed but not read.
 */
public final class SafeTensors {
    private static final long LONGEST_HEADER = 100_000_000;
    private static final int LENGTH_BYTES = 8;
    private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final StoredBytes file;
    private final long dataStart;
    private final SafeHeader header;

    private SafeTensors(StoredBytes file, long dataStart, SafeHeader header) {
        this.file = file;
        this.dataStart = dataStart;
        this.header = header;
    }

    /**
     * {@return all tensors of a file by name, in the order of the header}
     *
     * @throws InvalidInputException if the file cannot be read, is damaged, or holds a tensor of an unsupported type
     */
    public static Map<String, Tensor> read(Path file) {
        return open(file).tensors();
    }

    /**
     * {@return an opened file, after reading its header only}
     *
     * @throws InvalidInputException if the file cannot be read or is damaged
     */
    public static SafeTensors open(Path file) {
        return open(StoredBytes.map(file));
    }

    /**
     * {@return a file whose content is the given bytes, which are not copied}
     *
     * @param name the name of the bytes in error messages
     * @throws InvalidInputException if the bytes are damaged
     */
    public static SafeTensors open(byte[] bytes, String name) {
        return open(StoredBytes.of(bytes, name));
    }

    private static SafeTensors open(StoredBytes file) {
        if (file.size() < LENGTH_BYTES) {
            throw file.damaged(
                    "a header's length in " + LENGTH_BYTES + " bytes", "a file of " + file.size() + " bytes");
        }
        long length = file.bytes().get(LENGTH, 0);
        if (length < 0 || length > Math.min(LONGEST_HEADER, file.size() - LENGTH_BYTES)) {
            throw file.damaged(
                    "a header within the " + file.size() + " bytes of the file, and of at most " + LONGEST_HEADER,
                    Long.toUnsignedString(length) + " bytes");
        }
        SafeHeader header = SafeHeader.read(file.source(), file.array(LENGTH_BYTES, length));
        var tensors = new SafeTensors(file, LENGTH_BYTES + length, header);
        tensors.requireFilled();
        return tensors;
    }

    /** Checks that the tensors cover the data without gaps, overlaps or trailing bytes. */
    private void requireFilled() {
        List<SafeHeader.Place> inOrder = new ArrayList<>(header.places().values());
        inOrder.sort(Comparator.comparingLong(SafeHeader.Place::from).thenComparingLong(SafeHeader.Place::to));
        long end = 0;
        for (SafeHeader.Place place : inOrder) {
            if (place.from() != end || place.to() < place.from()) {
                throw file.damaged(
                        "data without gaps or overlaps", place.from() + " to " + place.to() + " after " + end);
            }
            end = place.to();
        }
        if (end != file.size() - dataStart) {
            throw file.damaged(end + " bytes of data", file.size() - dataStart + " bytes");
        }
    }

    /** {@return the names of the tensors, in the order of the header} */
    public Set<String> names() {
        return Collections.unmodifiableSet(header.places().keySet());
    }

    /** {@return the metadata of the file: texts by key} */
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(header.metadata());
    }

    /**
     * {@return all tensors by name, in the order of the header}
     *
     * @throws InvalidInputException if a tensor is of an unsupported type
     */
    public Map<String, Tensor> tensors() {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        names().forEach(name -> tensors.put(name, tensor(name)));
        return Collections.unmodifiableMap(tensors);
    }

    /**
     * {@return the tensor of the given name}
     *
     * @throws InvalidInputException if the file has no tensor of this name, or the tensor is of an unsupported type,
     *     empty, or does not fill its shape
     */
    public Tensor tensor(String name) {
        SafeHeader.Place place = header.places().get(name);
        if (place == null) {
            throw new InvalidInputException(
                    file.source() + " has no tensor of that name",
                    "one of " + String.join(", ", names()),
                    name,
                    "SafeTensors.open(file).names() lists them");
        }
        String what = "\"" + name + "\" in " + file.source();
        ElementType element = ElementType.ofSafeName(place.type());
        if (element == null) {
            throw new InvalidInputException(
                    "Heed has no type for the elements of " + what,
                    "F64, F32, F16, BF16, BOOL, I64, or integers of up to 32 bits",
                    place.type(),
                    "convert the tensor before saving it");
        }
        long bytes = StoredBytes.bytes(what, element, place.shape());
        if (bytes != place.to() - place.from()) {
            throw file.damaged(
                    bytes + " bytes for the shape " + Arrays.toString(place.shape()) + " of \"" + name + "\"",
                    place.to() - place.from() + " bytes");
        }
        return element.read(file.slice(dataStart + place.from(), bytes), ByteOrder.LITTLE_ENDIAN, place.shape());
    }

    // ---------------------------------------------------------------- writing

    /**
     * Writes named tensors to a file, replacing an older file. The header lists the tensors in the order of the map.
     *
     * @throws IOException if the file cannot be written; an older file then stays unchanged
     * @throws InvalidInputException if a tensor is named {@code __metadata__} or has scales
     */
    public static void write(Path file, Map<String, Tensor> tensors) throws IOException {
        write(file, tensors, Map.of());
    }

    /**
     * Writes named tensors and metadata to a file, replacing an older file. The header lists the tensors in the order
     * of the map.
     *
     * @throws IOException if the file cannot be written; an older file then stays unchanged
     * @throws InvalidInputException if a tensor is named {@code __metadata__} or has scales
     */
    public static void write(Path file, Map<String, Tensor> tensors, Map<String, String> metadata) throws IOException {
        // Wider elements come first, because readers that map a file need each element aligned to its size. The header
        // keeps the order of the map.
        List<Map.Entry<String, Tensor>> widestFirst = new ArrayList<>(tensors.entrySet());
        widestFirst.sort(
                Comparator.comparingInt(entry -> -entry.getValue().type().bytes()));
        Map<String, String> offsets = new HashMap<>();
        List<MemorySegment> data = new ArrayList<>();
        long end = 0;
        for (Map.Entry<String, Tensor> entry : widestFirst) {
            MemorySegment bytes = ElementType.of(entry.getValue().type()).write(entry.getValue());
            data.add(bytes);
            offsets.put(entry.getKey(), "[" + end + "," + (end + bytes.byteSize()) + "]");
            end += bytes.byteSize();
        }
        StoredBytes.write(file, header(tensors, offsets, metadata), data);
    }

    private static byte[] header(
            Map<String, Tensor> tensors, Map<String, String> offsets, Map<String, String> metadata) {
        List<String> entries = new ArrayList<>();
        if (!metadata.isEmpty()) {
            List<String> texts = new ArrayList<>();
            metadata.forEach((key, text) -> texts.add(SafeHeader.quoted(key) + ":" + SafeHeader.quoted(text)));
            entries.add("\"" + SafeHeader.METADATA + "\":{" + String.join(",", texts) + "}");
        }
        tensors.forEach((name, tensor) -> {
            if (name.equals(SafeHeader.METADATA)) {
                throw new InvalidInputException(
                        "The format reserves this tensor name for metadata",
                        "another name",
                        name,
                        "write(file, tensors, Map.of(key, text)) writes metadata");
            }
            entries.add(SafeHeader.quoted(name) + ":{\"dtype\":\""
                    + ElementType.of(tensor.type()).safeName() + "\",\"shape\":"
                    + Arrays.toString(tensor.shape()).replace(" ", "") + ",\"data_offsets\":" + offsets.get(name)
                    + "}");
        });
        byte[] json = ("{" + String.join(",", entries) + "}").getBytes(StandardCharsets.UTF_8);
        byte[] head = new byte[LENGTH_BYTES + (json.length + 7) / 8 * 8];
        Arrays.fill(head, (byte) ' ');
        System.arraycopy(json, 0, head, LENGTH_BYTES, json.length);
        MemorySegment.ofArray(head).set(LENGTH, 0, head.length - LENGTH_BYTES);
        return head;
    }
}
