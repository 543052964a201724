package dev.heed;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Checks of the tensors of a call, made before the computation starts. */
final class InputCheck {
    private static final String WRITABLE = "Tensor.zeros(...) makes a tensor to write to";

    private InputCheck() {}

    /** {@return a tensor to write to, which must not be null} */
    static Tensor target(String name, @Nullable Tensor tensor) {
        return InvalidInputException.requirePresent(name, tensor, WRITABLE);
    }

    static void readable(String name, Tensor tensor) {
        InvalidInputException.requirePresent(name, tensor, "Tensor.of(...) and Tensor.zeros(...) make tensors");
        tensor.requireAccessible(name);
    }

    static void input(String name, Tensor tensor, DType type, long... shape) {
        readable(name, tensor);
        if (tensor.type() != type || !tensor.hasShape(shape)) {
            throw new InvalidInputException(
                    "The " + name + " does not fit",
                    type.label() + " " + Arrays.toString(shape),
                    tensor.toString(),
                    "tensor.to(DType." + type + ") converts; transpose, split and expand give other shapes");
        }
    }

    static void floating(String name, @Nullable Tensor tensor, long... shape) {
        if (tensor != null) {
            readable(name, tensor);
            if (!tensor.type().isFloating() || !tensor.hasShape(shape)) {
                throw new InvalidInputException(
                        "The " + name + " does not fit",
                        "floating-point numbers of shape " + Arrays.toString(shape),
                        tensor.toString(),
                        "transpose, split and expand give other shapes");
            }
        }
    }

    /** Checks that a tensor is present if and only if {@code wanted}, and that a present tensor has this type and shape. */
    static void present(String name, @Nullable Tensor tensor, boolean wanted, DType type, long... shape) {
        if ((tensor != null) != wanted) {
            throw new InvalidInputException(
                    "The " + name + (wanted ? " is missing" : " is not part of the problem"),
                    wanted ? type.label() + " " + Arrays.toString(shape) : "null",
                    String.valueOf(tensor),
                    "weights.problem(rows, activation) is the problem of these weights");
        }
        if (tensor != null) {
            input(name, tensor, type, shape);
        }
    }

    static void broadcastable(String name, @Nullable Tensor tensor, long... shape) {
        if (tensor != null) {
            readable(name, tensor);
            try {
                tensor.expand(shape);
            } catch (InvalidInputException e) {
                throw new InvalidInputException(
                        "The " + name + " does not broadcast",
                        Arrays.toString(shape) + ", or 1 in place of any size",
                        tensor.toString(),
                        "use size 1 for every axis that is shared");
            }
        }
    }

    static void output(String name, @Nullable Tensor tensor, boolean wanted, DType type, long... shape) {
        if (tensor == null) {
            if (wanted) {
                throw new InvalidInputException(
                        "The options request " + name + " but the result has no tensor for it",
                        type.label() + " " + Arrays.toString(shape),
                        "null",
                        "allocate(problem) makes a result that fits");
            }
            return;
        }
        input(name, tensor, type, shape);
        if (tensor.isReadOnly()) {
            throw new InvalidInputException(
                    "The " + name + " is read-only",
                    "writable memory",
                    tensor.toString(),
                    "pass the tensor itself, not asReadOnly()");
        }
        if (tensor.isExpanded()) {
            throw new InvalidInputException(
                    "The " + name + " has several indices for the same element",
                    "a separate element for every index",
                    tensor + " with a stride of 0",
                    WRITABLE);
        }
    }

    /** Rejects outputs that share memory with an input or with each other. Nulls are ignored. */
    static void disjoint(List<? extends @Nullable Tensor> outputs, List<? extends @Nullable Tensor> inputs) {
        for (int i = 0; i < outputs.size(); i++) {
            Tensor output = outputs.get(i);
            if (output == null) {
                continue;
            }
            for (Tensor input : inputs) {
                refuseOverlap(output, input, "an input");
            }
            for (Tensor other : outputs.subList(i + 1, outputs.size())) {
                refuseOverlap(output, other, "another output");
            }
        }
    }

    private static void refuseOverlap(Tensor output, @Nullable Tensor other, String what) {
        if (other != null && output.overlaps(other)) {
            throw new InvalidInputException(
                    "An output overlaps " + what,
                    "separate memory for every output",
                    "output " + output + " over " + other,
                    WRITABLE);
        }
    }
}
