package dev.heed.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.Optional;

/** Links the functions of the native library to {@link NativeFunctions}. */
final class NativeLink {
    private NativeLink() {}

    /**
     * {@return a handle that calls a function of the native library; without the library, a handle that throws the reason}
     *
     * @param result the letter of the result as in {@code native/README.md}, or v for nothing
     * @param name the name, without the prefix {@code heed_}
     * @param parameters the letters of the parameters: p is a pointer, l a 64-bit integer, i a 32-bit integer, f a float
     */
    @SuppressWarnings("restricted")
    static MethodHandle function(char result, String name, String parameters) {
        MemoryLayout[] layouts =
                parameters.chars().mapToObj(letter -> layout((char) letter)).toArray(MemoryLayout[]::new);
        FunctionDescriptor signature =
                result == 'v' ? FunctionDescriptor.ofVoid(layouts) : FunctionDescriptor.of(layout(result), layouts);
        SymbolLookup symbols = NativeLibrary.loaded().symbols();
        Optional<MemorySegment> address = symbols == null ? Optional.empty() : symbols.find("heed_" + name);
        if (address.isPresent()) {
            return Linker.nativeLinker().downcallHandle(address.get(), signature, Linker.Option.critical(true));
        }
        String missing = String.join("; ", NativeLibrary.reasons());
        MethodHandle fails = MethodHandles.throwException(
                        signature.toMethodType().returnType(), UnsupportedOperationException.class)
                .bindTo(new UnsupportedOperationException(missing.isEmpty() ? "no heed_" + name : missing));
        return MethodHandles.dropArguments(fails, 0, signature.toMethodType().parameterList());
    }

    private static MemoryLayout layout(char letter) {
        return switch (letter) {
            case 'p' -> ADDRESS;
            case 'l' -> JAVA_LONG;
            case 'i' -> JAVA_INT;
            case 'f' -> JAVA_FLOAT;
            default -> throw new IllegalArgumentException("a type is p, l, i or f, not " + letter);
        };
    }

    /** {@return the exception for an error of a call} An unchecked one is thrown as it is. */
    static RuntimeException unexpected(Throwable e) {
        if (e instanceof RuntimeException known) {
            return known;
        }
        if (e instanceof Error error) {
            throw error;
        }
        return new IllegalStateException("a native call threw a checked exception", e);
    }
}
