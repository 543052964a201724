package dev.heed.machine;

import java.util.List;
import java.util.OptionalInt;
import jdk.incubator.vector.FloatVector;

/**
 * The processor and the Java runtime that this process has.
 *
 * @param cores how many processors the runtime may use
 * @param memoryBytes the largest heap
 * @param java the runtime's version
 * @param system operating system and architecture
 * @param vectorBits the width of the preferred Vector API species, empty where the module is absent
 * @param vectorReasons why the Vector API cannot be used; empty where it can
 */
public record Machine(
        int cores, long memoryBytes, String java, String system, OptionalInt vectorBits, List<String> vectorReasons) {

    /** The flag that adds the Vector API on the class path. On the module path none is needed. */
    public static final String VECTOR_FLAG = "--add-modules jdk.incubator.vector";

    /** Four floats: no processor has less. A JVM that compiles no vector instructions says 64. */
    private static final int FEWEST_BITS = 128;

    /** {@return this computer} */
    public static Machine current() {
        boolean present = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
        OptionalInt bits = present ? OptionalInt.of(Species.bits()) : OptionalInt.empty();
        return new Machine(
                Runtime.getRuntime().availableProcessors(),
                Runtime.getRuntime().maxMemory(),
                Runtime.version().toString(),
                System.getProperty("os.name") + " " + System.getProperty("os.arch"),
                bits,
                reasons(bits));
    }

    /** {@return why vectors of a width cannot be used} */
    static List<String> reasons(OptionalInt bits) {
        if (bits.isEmpty()) {
            return List.of("module jdk.incubator.vector is absent: start java with " + VECTOR_FLAG
                    + ", or put Heed on the module path");
        }
        return bits.getAsInt() >= FEWEST_BITS
                ? List.of()
                : List.of(
                        "the vectors of this JVM have " + bits.getAsInt() + " bits, and " + FEWEST_BITS
                                + " are needed: leave out -XX:MaxVectorSize, or take a JVM whose compiler has vector instructions");
    }

    /** {@return one line: system, cores, Java, and the vector species or how to get it} */
    public String describe() {
        String vector = vectorReasons.isEmpty() && vectorBits.isPresent()
                ? vectorBits.getAsInt() + "-bit species (" + vectorBits.getAsInt() / Float.SIZE + " x f32)"
                : String.join("; ", vectorReasons);
        return system + ", " + cores + " cores, Java " + java + ", Vector API: " + vector;
    }

    /** Loaded only where the incubator module is present. */
    private static final class Species {
        static int bits() {
            return FloatVector.SPECIES_PREFERRED.vectorBitSize();
        }
    }
}
