package dev.heed.conformance;

import dev.heed.AttentionBackend;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One item of a file of test vectors: small tensors and the outputs that another library computed from them.
 *
 * @param name the name of the item in the file
 * @param kind the kind of computation
 * @param attributes the numbers and words of the item, by name
 * @param tensors the inputs by name, f32
 * @param expected the outputs by name, f32
 * @param tolerance the tolerance of the source of the expected outputs
 * @param damage the reason why the item cannot be read, or null if it can
 */
record ClassicCase(
        String name,
        String kind,
        Map<String, String> attributes,
        Map<String, Tensor> tensors,
        Map<String, Tensor> expected,
        Tolerance tolerance,
        @Nullable String damage)
        implements ConformanceCase {

    /** Copies the maps. */
    ClassicCase {
        attributes = Map.copyOf(attributes);
        tensors = Map.copyOf(tensors);
        expected = Map.copyOf(expected);
    }

    static ClassicCase damaged(String name, String damage) {
        return new ClassicCase(name, "", Map.of(), Map.of(), Map.of(), Tolerance.EXACT, damage);
    }

    @Override
    public Outcome run(AttentionBackend backend) {
        var comparison = new Comparison();
        if (damage != null) {
            comparison.fail(damage);
            return comparison.outcome(name);
        }
        try {
            if (expected.isEmpty()) {
                throw new InvalidInputException(
                        "The item has no expected output", "an expect line", "none", "mend the file");
            }
            new ClassicKind(this, backend, comparison).run();
        } catch (NotCoveredException e) {
            return Outcome.skip(name, String.valueOf(e.getMessage()));
        } catch (InvalidInputException e) {
            comparison.fail(e.oneLine());
        } catch (RuntimeException e) {
            comparison.fail("no exception expected, got " + e);
        }
        return comparison.outcome(name);
    }

    /**
     * Throws {@link NotCoveredException}, which skips the item, if it has attributes, tensors or outputs that its kind
     * does not define.
     */
    void requireKnown(Set<String> knownAttributes, Set<String> knownTensors, Set<String> knownOutputs) {
        requireKnown("attribute", attributes.keySet(), knownAttributes);
        requireKnown("tensor", tensors.keySet(), knownTensors);
        requireKnown("output", expected.keySet(), knownOutputs);
    }

    private void requireKnown(String what, Set<String> there, Set<String> known) {
        for (String word : there) {
            if (!known.contains(word)) {
                throw new NotCoveredException(what + " " + word + " of kind " + kind);
            }
        }
    }

    Tensor tensor(String tensor) {
        return present("tensor " + tensor, tensors.get(tensor));
    }

    /** {@return the value of a numeric attribute, or null if it is absent} */
    @Nullable
    Double number(String attribute) {
        String text = attributes.get(attribute);
        try {
            return text == null ? null : Double.valueOf(text);
        } catch (NumberFormatException e) {
            throw new InvalidInputException("Attribute " + attribute, "a number", text, "mend the file");
        }
    }

    /** {@return the value of a required attribute that is a size, 1 to 2^20} */
    long size(String attribute) {
        double size = present("attribute " + attribute, number(attribute));
        if (size != Math.rint(size) || size < 1 || size > 1 << 20) {
            throw new InvalidInputException("Attribute " + attribute, "a size", String.valueOf(size), "mend the file");
        }
        return (long) size;
    }

    private <T> T present(String what, @Nullable T thing) {
        if (thing == null) {
            throw new InvalidInputException(
                    "An item of kind " + kind + " is incomplete", what, "none", "mend the file");
        }
        return thing;
    }
}
