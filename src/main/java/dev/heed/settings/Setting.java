package dev.heed.settings;

import dev.heed.tensor.InvalidInputException;
import java.util.Optional;
import java.util.function.Function;

/**
 * A system property of Heed: its name, accepted values, default and meaning.
 *
 * @param <T> the type of its values
 */
public final class Setting<T> {
    private final String name;
    private final String expected;
    private final String otherwise;
    private final String meaning;
    private final String example;
    private final Function<String, Optional<T>> reader;

    /**
     * Creates a setting, which is one row of the table in docs/settings.md.
     *
     * @param name the name of the property
     * @param expected the accepted values, in words
     * @param otherwise the default, in words
     * @param meaning the effect of the values, in words
     * @param example a value that can be typed
     * @param reader parses the text of a value; returns empty if the value is not accepted
     */
    Setting(
            String name,
            String expected,
            String otherwise,
            String meaning,
            String example,
            Function<String, Optional<T>> reader) {
        this.name = name;
        this.expected = expected;
        this.otherwise = otherwise;
        this.meaning = meaning;
        this.example = example;
        this.reader = reader;
    }

    /** {@return the name of the property} */
    public String name() {
        return name;
    }

    /**
     * {@return the current value of the property; empty if it is not set}
     *
     * @throws InvalidInputException if the value cannot be read
     */
    public Optional<T> value() {
        String text = System.getProperty(name);
        return text == null ? Optional.empty() : Optional.of(read(text));
    }

    private T read(String text) {
        return reader.apply(text)
                .orElseThrow(() -> new InvalidInputException(
                        "The system property " + name + " cannot be read",
                        expected,
                        "\"" + text + "\"",
                        "-D" + name + "=" + example + ", or leave it out"));
    }

    /** {@return the current value of the property, or {@code other} if it is not set} */
    public T or(T other) {
        return value().orElse(other);
    }

    /** {@return the command-line option of {@code java} that sets the property to a value} */
    public String to(Object value) {
        return "-D" + name + "=" + value;
    }

    /** {@return the row of the table in docs/settings.md} */
    String row() {
        return "| `" + name + "` | " + otherwise + " | " + meaning + " |";
    }
}
