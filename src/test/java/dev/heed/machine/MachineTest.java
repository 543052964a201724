package dev.heed.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class MachineTest {
    @Test
    void thisMachineIsDescribed() {
        Machine machine = Machine.current();
        assertTrue(machine.cores() >= 1);
        assertTrue(machine.memoryBytes() > 1 << 20);
        assertTrue(machine.java().startsWith(String.valueOf(Runtime.version().feature())));
        assertTrue(machine.system().contains(System.getProperty("os.arch")));
    }

    @Test
    void widthOrReasonsNeverBoth() {
        Machine machine = Machine.current();
        assertEquals(
                machine.vectorBits().orElse(0) >= 128, machine.vectorReasons().isEmpty());
        machine.vectorBits().ifPresent(bits -> assertTrue(bits >= 64 && Integer.bitCount(bits) == 1, bits + " bits"));
    }

    @Test
    void vectorsBelow128BitsAreNoVectors() {
        assertEquals(List.of(), Machine.reasons(OptionalInt.of(128)));
        String reason = Machine.reasons(OptionalInt.of(64)).getFirst();
        assertTrue(reason.contains("64 bits") && reason.contains("128 are needed"), reason);
        var narrow = new Machine(1, 1L << 30, "25.0.1", "Linux amd64", OptionalInt.of(64), List.of(reason));
        assertTrue(narrow.describe().endsWith("Vector API: " + reason), narrow::describe);
    }

    @Test
    void descriptionNamesTheSpeciesOrTheCure() {
        var wide = new Machine(8, 1L << 30, "25.0.1", "Linux amd64", OptionalInt.of(512), List.of());
        assertEquals("Linux amd64, 8 cores, Java 25.0.1, Vector API: 512-bit species (16 x f32)", wide.describe());
        String cure = "start java with " + Machine.VECTOR_FLAG;
        var bare = new Machine(8, 1L << 30, "25.0.1", "Linux amd64", OptionalInt.empty(), List.of(cure));
        assertTrue(bare.describe().endsWith("Vector API: start java with --add-modules jdk.incubator.vector"));
        assertEquals(1, Machine.current().describe().lines().count());
    }

    @Test
    void theModelIsWhatDistinguishesProcessors() {
        List<String> x86 = List.of(
                "processor\t: 0",
                "vendor_id\t: GenuineIntel",
                "cpu family\t: 6",
                "model\t\t: 143",
                "model name\t: Some: name",
                "cpu MHz\t\t: 2000.123",
                "cache size\t: 2048 KB");
        assertEquals(
                Optional.of(
                        "vendor_id GenuineIntel, cpu family 6, model 143, model name Some: name, cache size 2048 KB"),
                Processor.model(x86));
        List<String> arm =
                List.of("processor\t: 0", "BogoMIPS\t: 50.00", "CPU implementer\t: 0x41", "CPU part\t: 0xd40");
        assertEquals(Optional.of("CPU implementer 0x41, CPU part 0xd40"), Processor.model(arm));
        assertEquals(Optional.empty(), Processor.model(List.of("processor\t: 0", "no colon")));
        assertEquals(Machine.processor(), Machine.processor());
    }
}
