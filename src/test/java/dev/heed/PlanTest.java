package dev.heed;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.heed.tensor.Tensor;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Tests that a plan runs in one thread at a time, and that a second thread gets an exception that names the first thread. */
class PlanTest {
    private static final Tensor TWO = Tensor.of(new float[2], 1, 2);

    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch mayEnd = new CountDownLatch(1);
    private final AtomicInteger runs = new AtomicInteger();

    /** A plan whose first run ends when the test releases {@code mayEnd}. */
    private final SoftmaxPlan plan = new SoftmaxPlan((SoftmaxProblem) Problem.parse("softmax 1x2 axis=1 f32")) {
        @Override
        public String describe() {
            return "slow softmax";
        }

        @Override
        protected void runForward(Tensor input, Tensor output) {
            if (runs.incrementAndGet() == 1) {
                begun.countDown();
                assertDoesNotThrow(() -> mayEnd.await());
            }
        }

        @Override
        protected void runBackward(Tensor output, Tensor outputGradient, Tensor inputGradient) {
            throw new ArithmeticException("a run that fails");
        }
    };

    @Test
    void aSecondThreadIsRefusedByTheNameOfTheFirst() throws InterruptedException {
        Thread first = Thread.ofPlatform().name("first").start(() -> plan.forward(TWO, TWO.copy()));
        begun.await();
        var refusal = assertThrows(IllegalStateException.class, () -> plan.forward(TWO, TWO.copy()));
        for (String part : new String[] {
            "one thread at a time", "while thread first #" + first.threadId() + " runs it", "slow softmax", "\nHINT: "
        }) {
            assertTrue(refusal.getMessage().contains(part), refusal::getMessage);
        }
        assertThrows(IllegalStateException.class, plan::close); // a running plan cannot be closed
        mayEnd.countDown();
        first.join();
        plan.forward(TWO, TWO.copy());
        assertEquals(2, runs.get());
        plan.close();
    }

    @Test
    void aRunThatFailsLeavesThePlanFree() {
        assertThrows(ArithmeticException.class, () -> plan.backward(TWO, TWO.copy(), TWO.copy()));
        mayEnd.countDown();
        plan.forward(TWO, TWO.copy());
        plan.close();
        assertThrows(IllegalStateException.class, () -> plan.forward(TWO, TWO.copy()));
    }
}
