package dev.heed.tensor;

import static dev.heed.TensorAssertions.assertAll;
import static dev.heed.TensorAssertions.assertRefused;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests of tensor factories, of shared memory and of lifetimes. */
class TensorTest {
    private static final ByteOrder SWAPPED =
            ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;

    @Test
    void aFloatArrayIsSharedInBothDirections() {
        float[] data = {1, 2, 3, 4, 5, 6};
        Tensor tensor = Tensor.of(data, 2, 3);
        tensor.set(42, 1, 0);
        data[5] = -1;
        assertEquals(42, data[3]);
        assertEquals(-1, tensor.get(1, 2));
        assertEquals(DType.F32, tensor.type());
    }

    @Test
    void doublesAndLongsAreShared() {
        double[] doubles = {1, 2};
        long[] longs = {1L << 40, -1};
        Tensor.of(doubles, 2).set(Math.PI, 1);
        Tensor.of(longs, 2).set(7, 1);
        assertEquals(Math.PI, doubles[1]);
        assertEquals(7, longs[1]);
        assertEquals(1L << 40, Tensor.of(longs, 2).get(0));
        assertEquals(DType.F64, Tensor.of(doubles, 2).type());
        assertEquals(DType.I64, Tensor.of(longs, 2).type());
    }

    @Test
    void truthsAreCopied() {
        boolean[] data = {true, false, true};
        Tensor tensor = Tensor.of(data, 3);
        data[0] = false;
        assertArrayEquals(new double[] {1, 0, 1}, tensor.toDoubleArray());
        assertEquals(DType.BOOL, tensor.type());
    }

    @Test
    void buffersAreReadFromPositionToLimit() {
        ByteBuffer direct = ByteBuffer.allocateDirect(6 * 4).order(ByteOrder.nativeOrder());
        ByteBuffer heap = ByteBuffer.allocate(6 * 4).order(ByteOrder.nativeOrder());
        for (FloatBuffer buffer :
                new FloatBuffer[] {direct.asFloatBuffer(), heap.asFloatBuffer(), FloatBuffer.allocate(6)}) {
            buffer.put(new float[] {0, 1, 2, 3, 4, 5}).position(1).limit(5);
            Tensor tensor = Tensor.of(buffer, 2, 2);
            assertArrayEquals(new double[] {1, 2, 3, 4}, tensor.toDoubleArray());
            tensor.set(9, 1, 1);
            assertEquals(9, buffer.get(4));
            assertEquals(1, buffer.position());
        }
    }

    @Test
    void buffersInTheOtherByteOrderAreRefused() {
        FloatBuffer swapped = ByteBuffer.allocateDirect(16).order(SWAPPED).asFloatBuffer();
        assertTrue(assertRefused(null, () -> Tensor.of(swapped, 4)).getMessage().contains("byte order"));
        FloatBuffer heap = ByteBuffer.allocate(16).order(SWAPPED).asFloatBuffer();
        assertRefused(null, () -> Tensor.of(heap, 4));
    }

    @Test
    void aReadOnlyBufferMakesAReadOnlyTensor() {
        Tensor tensor = Tensor.of(FloatBuffer.allocate(2).asReadOnlyBuffer(), 2);
        assertTrue(tensor.isReadOnly());
        assertTrue(tensor.toString().contains("read-only"));
        assertThrows(IllegalArgumentException.class, () -> tensor.set(1, 0));
    }

    @ParameterizedTest
    @EnumSource
    void segmentsOfEveryKindHoldEveryType(DType type) {
        try (Arena arena = Arena.ofConfined()) {
            long bytes = 6L * type.bytes();
            MemorySegment[] segments = {
                arena.allocate(bytes),
                MemorySegment.ofArray(new byte[(int) bytes]),
                arena.allocate(bytes + 1).asSlice(1),
                MemorySegment.ofBuffer(ByteBuffer.allocateDirect((int) bytes))
            };
            for (MemorySegment segment : segments) {
                Tensor tensor = Tensor.of(segment, type, 2, 3);
                tensor.set(1, 1, 2);
                assertArrayEquals(new double[] {0, 0, 0, 0, 0, 1}, tensor.toDoubleArray());
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void zerosAndAllocateStartAtZero(DType type) {
        try (Arena arena = Arena.ofConfined()) {
            Tensor allocated = Tensor.allocate(arena, type, 3, 5);
            assertAll(0, allocated);
            assertEquals(0, allocated.segment().address() % 64);
        }
        assertAll(0, Tensor.zeros(type, 3, 5));
        assertEquals(type.label() + " [3, 5]", Tensor.zeros(type, 3, 5).toString());
    }

    @Test
    void aTensorWithoutAxesHoldsOneNumber() {
        Tensor scalar = Tensor.of(new float[] {3});
        assertEquals(0, scalar.rank());
        assertEquals(3, scalar.get());
        assertEquals(1, scalar.elementCount());
        assertTrue(scalar.isContiguous());
    }

    @Test
    void dataThatDoNotFillTheShapeAreRefused() {
        assertRefused(null, () -> Tensor.of(new float[5], 2, 3));
        assertRefused(null, () -> Tensor.of(new double[7], 2, 3));
        assertRefused(null, () -> Tensor.of(new long[0], 1));
        assertRefused(null, () -> Tensor.of(new boolean[2]));
        assertRefused(null, () -> Tensor.of(FloatBuffer.allocate(7), 2, 3));
        String bytes = assertRefused(null, () -> Tensor.of(MemorySegment.ofArray(new byte[23]), DType.F32, 2, 3))
                .getMessage();
        assertTrue(bytes.contains("24 bytes") && bytes.contains("23 bytes"), bytes);
    }

    @Test
    void sizesBelowOneAreRefused() {
        assertRefused(null, () -> Tensor.of(new float[0], 0));
        assertRefused(null, () -> Tensor.zeros(DType.F32, 2, 0, 3));
        assertRefused(null, () -> Tensor.zeros(DType.F32, -1, -1));
        assertRefused(null, () -> Tensor.allocate(Arena.ofAuto(), DType.F16, Long.MIN_VALUE));
        assertRefused(null, () -> Tensor.zeros(DType.F32, 1).expand(0));
        assertRefused(null, () -> Tensor.zeros(DType.F32, 1).expand(-3, 1));
        assertRefused(null, () -> Tensor.zeros(DType.F32, 4).reshape(-2, -2));
    }

    @Test
    void moreBytesThanASegmentHoldsAreRefusedWithTheShape() {
        long[][] shapes = {{1L << 62}, {1L << 31, 1L << 31}, {3, 1L << 61}, {1L << 40, 1L << 40, 1L << 40}};
        for (long[] shape : shapes) {
            String text =
                    assertRefused(null, () -> Tensor.zeros(DType.F64, shape)).getMessage();
            assertTrue(text.contains("bytes") && text.contains(String.valueOf(shape[0])), text);
        }
        assertRefused(null, () -> Tensor.of(MemorySegment.NULL, DType.F32, 1L << 61, 4));
        assertRefused(null, () -> Tensor.zeros(DType.F32, 1).expand(1L << 40, 1L << 40));
    }

    /** Sizes and positions are longs. The large tensor is an expanded view of one element, so it needs no memory. */
    @Test
    void moreThanTwoToThe31ElementsAreCountedInLongs() {
        Tensor one = Tensor.of(new float[] {5}, 1);
        Tensor many = one.expand(3, 1L << 33);
        assertEquals(3L << 33, many.elementCount());
        assertEquals(5, many.get(2, (1L << 33) - 1));
        assertEquals(1, many.slice(1, 1L << 32, (1L << 32) + 1).size(1));
        assertThrows(ArithmeticException.class, many::toDoubleArray);
    }

    @Test
    void positionsBeyondTwoToThe31AreReadAndWritten(@TempDir Path folder) throws IOException {
        long count = (1L << 31) + 5;
        try (Arena arena = Arena.ofConfined();
                var sparse = FileChannel.open(folder.resolve("sparse"), CREATE_NEW, READ, WRITE)) {
            Tensor large = Tensor.of(sparse.map(MapMode.READ_WRITE, 0, count, arena), DType.BOOL, count);
            large.set(1, count - 1);
            assertEquals(1, large.slice(0, count - 2, count).get(1));
            assertEquals(1, large.segment().get(ValueLayout.JAVA_BYTE, count - 1));
        }
    }

    @Test
    void aClosedArenaEndsItsTensors() {
        Tensor tensor;
        Tensor view;
        try (Arena arena = Arena.ofConfined()) {
            tensor = Tensor.allocate(arena, DType.F32, 4);
            view = tensor.slice(0, 1, 3).asReadOnly();
            assertTrue(tensor.isAlive() && view.isAlive());
        }
        assertFalse(tensor.isAlive() || view.isAlive());
        assertTrue(tensor.toString().endsWith(" closed"), tensor::toString);
        assertThrows(IllegalStateException.class, () -> tensor.get(0));
        assertThrows(IllegalStateException.class, view::toDoubleArray);
    }

    @Test
    void aConfinedArenaRefusesAnotherThread() throws Exception {
        try (Arena arena = Arena.ofConfined()) {
            Tensor tensor = Tensor.allocate(arena, DType.F32, 4);
            var elsewhere = CompletableFuture.supplyAsync(() -> tensor.get(0));
            var failure = assertThrows(ExecutionException.class, elsewhere::get);
            assertEquals(WrongThreadException.class, failure.getCause().getClass());
            assertEquals(4, CompletableFuture.supplyAsync(tensor::elementCount).get());
        }
    }

    @Test
    void aSharedArenaServesEveryThread() throws Exception {
        try (Arena arena = Arena.ofShared()) {
            Tensor tensor = Tensor.allocate(arena, DType.F32, 4).fill(3);
            assertEquals(3, CompletableFuture.supplyAsync(() -> tensor.get(0)).get());
        }
    }

    @Test
    void descriptionsNameWhatIsUnusual() {
        Tensor tensor = Tensor.zeros(DType.BF16, 2, 8, 128, 64);
        assertEquals("bf16 [2, 8, 128, 64]", tensor.toString());
        assertEquals(
                "bf16 [2, 128, 8, 64] strided read-only",
                tensor.transpose(1, 2).asReadOnly().toString());
    }
}
