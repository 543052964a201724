package dev.heed.storage;

import dev.heed.tensor.InvalidInputException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A parser for the header of a safetensors file. It accepts only this form of JSON: one object whose values are objects
 * with a dtype, a shape and two offsets. The value of {@code __metadata__} is an object of strings.
 */
final class SafeHeader {
    static final String METADATA = "__metadata__";

    private final String source;
    private final String text;
    private int at;

    private final Map<String, Place> places = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();

    /**
     * The type, the shape and the byte range of a tensor in the file.
     *
     * @param type the name of the element type in the file
     * @param shape the sizes of the axes
     * @param from the offset of the first byte, in bytes from the end of the header
     * @param to the exclusive end, in bytes from the end of the header
     */
    record Place(String type, long[] shape, long from, long to) {}

    private SafeHeader(String source, String text) {
        this.source = source;
        this.text = text;
    }

    static SafeHeader read(String source, byte[] utf8) {
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(utf8))
                    .toString();
        } catch (CharacterCodingException e) {
            throw StoredBytes.damaged(source, "a header in UTF-8", e.toString());
        }
        var header = new SafeHeader(source, text);
        header.entries(name -> header.entry(name));
        header.skipBlanks();
        if (header.at != text.length()) {
            throw header.damaged("nothing after the header's object");
        }
        return header;
    }

    /** {@return the tensors in the order of the header} */
    Map<String, Place> places() {
        return places;
    }

    Map<String, String> metadata() {
        return metadata;
    }

    private void entry(String name) {
        if (name.equals(METADATA)) {
            entries(key -> {
                if (metadata.put(key, string()) != null) {
                    throw damaged("each name once");
                }
            });
        } else if (places.put(name, place()) != null) {
            throw damaged("each name once");
        }
    }

    private Place place() {
        List<String> type = new ArrayList<>();
        List<long[]> shape = new ArrayList<>();
        List<long[]> offsets = new ArrayList<>();
        entries(key -> {
            switch (key) {
                case "dtype" -> type.add(string());
                case "shape" -> shape.add(integers());
                case "data_offsets" -> offsets.add(integers());
                default -> throw damaged("dtype, shape and data_offsets");
            }
        });
        if (type.size() != 1 || shape.size() != 1 || offsets.size() != 1 || offsets.getFirst().length != 2) {
            throw damaged("dtype, shape and data_offsets, once each, and two offsets");
        }
        return new Place(type.getFirst(), shape.getFirst(), offsets.getFirst()[0], offsets.getFirst()[1]);
    }

    // ---------------------------------------------------------------- JSON

    private interface Entry {
        void read(String name);
    }

    private void entries(Entry entry) {
        expect('{');
        if (takes('}')) {
            return;
        }
        do {
            skipBlanks();
            String name = string();
            expect(':');
            entry.read(name);
        } while (takes(','));
        expect('}');
    }

    private long[] integers() {
        List<Long> integers = new ArrayList<>();
        expect('[');
        if (!takes(']')) {
            do {
                integers.add(integer());
            } while (takes(','));
            expect(']');
        }
        return integers.stream().mapToLong(Long::longValue).toArray();
    }

    private long integer() {
        skipBlanks();
        int from = at;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            at++;
        }
        boolean hasLeadingZero = at - from > 1 && text.charAt(from) == '0';
        if (at == from || at - from > 18 || hasLeadingZero) {
            throw damaged("an integer of 1 to 18 digits");
        }
        return Long.parseLong(text, from, at, 10);
    }

    private String string() {
        expect('"');
        var string = new StringBuilder();
        while (true) {
            char c = next("a text that ends");
            switch (c) {
                case '"' -> {
                    return string.toString();
                }
                case '\\' -> string.append(escaped());
                default -> {
                    if (c < ' ') {
                        throw damaged("control characters only as escapes");
                    }
                    string.append(c);
                }
            }
        }
    }

    private char escaped() {
        char c = next("an escape");
        return switch (c) {
            case '"', '\\', '/' -> c;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> {
                int code = 0;
                for (int i = 0; i < 4; i++) {
                    int digit = Character.digit(next("four hexadecimal digits"), 16);
                    if (digit < 0) {
                        throw damaged("four hexadecimal digits");
                    }
                    code = code << 4 | digit;
                }
                yield (char) code;
            }
            default -> throw damaged("an escape of JSON");
        };
    }

    private char next(String expected) {
        if (at == text.length()) {
            throw damaged(expected);
        }
        return text.charAt(at++);
    }

    private boolean takes(char c) {
        skipBlanks();
        boolean here = at < text.length() && text.charAt(at) == c;
        at += here ? 1 : 0;
        return here;
    }

    private void expect(char c) {
        if (!takes(c)) {
            throw damaged("'" + c + "'");
        }
    }

    private void skipBlanks() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private InvalidInputException damaged(String expected) {
        String rest = text.substring(Math.min(at, text.length()), Math.min(text.length(), at + 24));
        return StoredBytes.damaged(source, expected + " in the header", "\"" + rest + "\" at character " + at);
    }

    /** {@return a text as a JSON string} */
    static String quoted(String text) {
        var json = new StringBuilder("\"");
        text.chars().forEach(c -> {
            switch (c) {
                case '"' -> json.append("\\\"");
                case '\\' -> json.append("\\\\");
                default -> {
                    if (c < ' ' || Character.isSurrogate((char) c)) {
                        json.append("\\u").append(String.format(Locale.ROOT, "%04x", c));
                    } else {
                        json.append((char) c);
                    }
                }
            }
        });
        return json.append('"').toString();
    }
}
