package dev.heed.machine;

import java.util.List;
import java.util.Optional;
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

    /**
     * {@return the number of vector registers of the processor, 16 or 32} The module jdk.incubator.vector must be present. On x86,
     * a JVM that does not prefer vectors of 512 bits has no instructions for the upper 16 registers, unless a flag limits the
     * width; then the answer is 16.
     */
    public static int vectorRegisters() {
        String architecture = System.getProperty("os.arch");
        boolean x86 = architecture.equals("amd64") || architecture.equals("x86_64");
        return x86 && Species.bits() < 512 ? 16 : 32;
    }

    /** {@return the model of the processor; empty if the operating system does not report it} */
    public static Optional<String> processor() {
        return Processor.model();
    }

    /**
     * {@return the reason why the CPU backends are slow in this JVM: without an instruction for fused multiply-add, they round each
     * product before they add it} Empty if the JVM has the instruction, or if this cannot be known because the module
     * jdk.management is absent.
     */
    public static Optional<String> slowReason() {
        return Slow.REASON;
    }

    /** {@return one line: system, cores, Java, and the vector species or the reasons why vectors cannot be used} */
    public String describe() {
        String vector = vectorReasons.isEmpty() && vectorBits.isPresent()
                ? vectorBits.getAsInt() + "-bit species (" + vectorBits.getAsInt() / Float.SIZE + " x f32)"
                : String.join("; ", vectorReasons);
        return system + ", " + cores + " cores, Java " + java + ", Vector API: " + vector;
    }

    /** The reason of {@link #slowReason}, found at its first use. */
    private static final class Slow {
        private static final Optional<String> REASON = reason();
        private static final int CALLS = 32;
        private static final int TRIALS = 16;

        /** Nanoseconds of a call: with the instruction about 10, even if it is interpreted; without it 300 or more, even if compiled. */
        private static final long FAST = 100;

        private static Optional<String> reason() {
            try {
                return isPerhapsSlow() && FmaFlag.isOff()
                        ? Optional.of(
                                "this JVM has no instruction for fused multiply-add (UseFMA is off), which makes attention up to three"
                                        + " times slower: leave out -XX:-UseFMA, or give the virtual machine all instructions of its host"
                                        + " (QEMU: -cpu host)")
                        : Optional.empty();
            } catch (LinkageError | IllegalArgumentException e) { // no module jdk.management, or no such flag
                return Optional.empty();
            }
        }

        /** {@return whether no trial was fast} Saves the 40 ms that it takes to read a flag of the JVM. */
        private static boolean isPerhapsSlow() {
            float sum = 1;
            for (int trial = 0; trial < TRIALS; trial++) {
                long start = System.nanoTime();
                for (int call = 0; call < CALLS; call++) {
                    sum = Math.fma(sum, 0.7f, 0.1f);
                }
                if (System.nanoTime() - start < CALLS * FAST && sum > 0) {
                    return false;
                }
            }
            return true;
        }
    }

    /** The only user of the Vector API in this class; loaded only if the incubator module is present. */
    private static final class Species {
        static int bits() {
            return FloatVector.SPECIES_PREFERRED.vectorBitSize();
        }
    }
}
