package dev.heed.machine;

import java.util.List;
import java.util.OptionalInt;
import jdk.incubator.vector.FloatVector;

/**
 * A description of this computer: the processor and the Java runtime of this process.
 *
 * @param cores the number of processors that the runtime may use
 * @param memoryBytes the maximum size of the heap in bytes
 * @param java the version of the runtime
 * @param system the operating system and the processor architecture
 * @param vectorBits the width of the preferred Vector API species in bits; empty if the module is absent
 * @param vectorReasons the reasons why the Vector API cannot be used; empty if it can
 */
public record Machine(
        int cores, long memoryBytes, String java, String system, OptionalInt vectorBits, List<String> vectorReasons) {

    /** The flag that adds the Vector API for programs on the class path. Programs on the module path need no flag. */
    public static final String VECTOR_FLAG = "--add-modules jdk.incubator.vector";

    /**
     * The minimum vector width in bits: four floats, which every processor supports. A JVM whose compiler has no vector
     * instructions reports 64.
     */
    private static final int FEWEST_BITS = 128;

    /** {@return the description of this computer} */
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

    /** {@return the reasons why vectors of this width in bits cannot be used; empty if they can} */
    static List<String> reasons(OptionalInt bits) {
        if (bits.isEmpty()) {
            return List.of("module jdk.incubator.vector is absent: start java with " + VECTOR_FLAG
                    + ", or put Heed on the module path");
        }
        return bits.getAsInt() >= FEWEST_BITS
                ? List.of()
                : List.of(
                        "the vectors of this JVM have " + bits.getAsInt() + " bits, and " + FEWEST_BITS
                                + " are needed: leave out -XX:MaxVectorSize, or use a JVM whose compiler has vector instructions");
    }

    /** {@return one line: system, cores, Java, and the vector species or the reasons why vectors cannot be used} */
    public String describe() {
        String vector = vectorReasons.isEmpty() && vectorBits.isPresent()
                ? vectorBits.getAsInt() + "-bit species (" + vectorBits.getAsInt() / Float.SIZE + " x f32)"
                : String.join("; ", vectorReasons);
        return system + ", " + cores + " cores, Java " + java + ", Vector API: " + vector;
    }

    /** The only user of the Vector API in this class; loaded only if the incubator module is present. */
    private static final class Species {
        static int bits() {
            return FloatVector.SPECIES_PREFERRED.vectorBitSize();
        }
    }
}
