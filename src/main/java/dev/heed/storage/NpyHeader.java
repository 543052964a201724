package dev.heed.storage;

import dev.heed.tensor.InvalidInputException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The header of a .npy file: six bytes of magic, a version, a length, and a Python dictionary of three entries.
 *
 * @param element the type of the elements
 * @param order the byte order of the elements
 * @param fortran whether the first axis is contiguous
 * @param shape the sizes of the axes
 * @param dataStart the position of the first element in the file, in bytes
 */
record NpyHeader(ElementType element, ByteOrder order, boolean fortran, long[] shape, long dataStart) {
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
    private static final int MAX_HEADER_BYTES =
            1 << 16; // bytes; a shape has at most 64 axes, so supported headers are shorter
    private static final int ALIGNMENT = 64;

    /** Digits reserved for the size of the first axis: NumPy leaves this room so that files can be appended to. */
    private static final int GROWTH_DIGITS = 21;

    private static final Pattern ENTRY = Pattern.compile(
            "\\s*(?:'(\\w+)'|\"(\\w+)\")\\s*:\\s*('[^']*'|\"[^\"]*\"|True|False|\\([0-9, ]*\\)|\\[.*?\\])\\s*(?:,|$)");
    private static final Pattern DESCRIPTION = Pattern.compile("([<>|=])?([a-zA-Z])([0-9]*)");

    /**
     * Reads the header.
     *
     * @throws InvalidInputException if the file holds no array, or holds an array of an unsupported type
     */
    static NpyHeader read(StoredBytes file) {
        if (file.size() < 10 || !Arrays.equals(file.array(0, MAGIC.length), MAGIC)) {
            throw file.damaged("a file that begins with \\x93NUMPY, a version and a length", "other bytes");
        }
        byte[] start = file.array(MAGIC.length, Math.min(6, file.size() - MAGIC.length));
        int version = start[0];
        if (version < 1 || version > 3) {
            throw file.damaged("version 1, 2 or 3", "version " + version);
        }
        int lengthBytes = version == 1 ? 2 : 4;
        long length = 0;
        for (int i = lengthBytes - 1; i >= 0; i--) {
            length = length << 8 | (2 + i < start.length ? start[2 + i] & 0xFF : 0);
        }
        if (length > MAX_HEADER_BYTES) {
            throw file.damaged("a header of at most " + MAX_HEADER_BYTES + " bytes", length + " bytes");
        }
        long textStart = MAGIC.length + 2L + lengthBytes;
        String text = new String(file.array(textStart, length), StandardCharsets.UTF_8);
        return parse(file.source(), text, textStart + length);
    }

    private static NpyHeader parse(String source, String text, long dataStart) {
        String stripped = text.strip();
        if (!stripped.startsWith("{") || !stripped.endsWith("}")) {
            throw StoredBytes.damaged(source, "a header { ... }", stripped);
        }
        String inner = stripped.substring(1, stripped.length() - 1).strip();
        String description = null;
        String fortran = null;
        String shape = null;
        Matcher entry = ENTRY.matcher(inner);
        int at = 0;
        while (at < inner.length()) {
            String name = entry.find(at) && entry.start() == at
                    ? entry.group(1) == null ? entry.group(2) : entry.group(1)
                    : "";
            switch (name) {
                case "descr" -> description = entry.group(3);
                case "fortran_order" -> fortran = entry.group(3);
                case "shape" -> shape = entry.group(3);
                default -> throw StoredBytes.damaged(source, "the entries descr, fortran_order and shape", inner);
            }
            at = entry.end();
        }
        boolean isFlag = "True".equals(fortran) || "False".equals(fortran);
        if (description == null || !isFlag || shape == null || !shape.startsWith("(")) {
            throw StoredBytes.damaged(source, "the entries descr, fortran_order and shape", inner);
        }
        Matcher type = DESCRIPTION.matcher(description.substring(1, description.length() - 1));
        ElementType element = type.matches() ? ElementType.ofNumpyName(type.group(2) + type.group(3)) : null;
        if (element == null) {
            throw new InvalidInputException(
                    "Heed has no type for the elements of " + source,
                    "f8, f4, f2, i8, i4, i2, i1, u4, u2, u1 or b1",
                    description,
                    "convert before saving: np.save(file, array.astype(np.float32))");
        }
        ByteOrder order = ">".equals(type.group(1)) ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
        return new NpyHeader(element, order, "True".equals(fortran), sizes(source, shape), dataStart);
    }

    private static long[] sizes(String source, String tuple) {
        String inner = tuple.substring(1, tuple.length() - 1).strip();
        if (inner.isEmpty()) {
            return new long[0];
        }
        String[] parts = (inner.endsWith(",") ? inner.substring(0, inner.length() - 1) : inner).split(",", -1);
        try {
            return Arrays.stream(parts)
                    .mapToLong(part -> Long.parseLong(part.strip()))
                    .toArray();
        } catch (NumberFormatException e) {
            throw StoredBytes.damaged(source, "a tuple of sizes", tuple);
        }
    }

    /** {@return the bytes before the first element, as NumPy writes them} */
    static byte[] write(ElementType element, long[] shape) {
        String sizes = Arrays.stream(shape).mapToObj(String::valueOf).collect(Collectors.joining(", "));
        String order = element.bytes() == 1 ? "|" : "<";
        String room = shape.length == 0
                ? ""
                : " ".repeat(GROWTH_DIGITS - String.valueOf(shape[0]).length());
        String entries = "{'descr': '" + order + element.numpyName() + "', 'fortran_order': False, 'shape': (" + sizes
                + (shape.length == 1 ? "," : "") + "), }" + room;
        int before = MAGIC.length + 4;
        int used = before + entries.length() + 1;
        String padded = entries + " ".repeat(Math.floorMod(-used, ALIGNMENT)) + "\n";
        byte[] header = new byte[before + padded.length()];
        System.arraycopy(MAGIC, 0, header, 0, MAGIC.length);
        header[6] = 1;
        header[8] = (byte) padded.length();
        header[9] = (byte) (padded.length() >> 8);
        System.arraycopy(padded.getBytes(StandardCharsets.US_ASCII), 0, header, before, padded.length());
        return header;
    }
}
