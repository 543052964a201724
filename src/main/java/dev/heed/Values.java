package dev.heed;

import java.util.Arrays;
import java.util.List;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/** The fields of an immutable class as alternating names and values, with the equality, hash code and text of a record. */
final class Values {
    private final List<@Nullable Object> namesAndValues;

    private Values(List<@Nullable Object> namesAndValues) {
        this.namesAndValues = namesAndValues;
    }

    static Values of(@Nullable Object... namesAndValues) {
        return new Values(Arrays.asList(namesAndValues));
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Values values && namesAndValues.equals(values.namesAndValues);
    }

    @Override
    public int hashCode() {
        return namesAndValues.hashCode();
    }

    String in(Class<?> type) {
        var text = new StringJoiner(", ", type.getSimpleName() + "[", "]");
        for (int i = 0; i < namesAndValues.size(); i += 2) {
            text.add(namesAndValues.get(i) + "=" + namesAndValues.get(i + 1));
        }
        return text.toString();
    }
}
