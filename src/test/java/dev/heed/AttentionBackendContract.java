package dev.heed;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;

/**
 * What every backend promises. A backend is tested by a subclass of ten lines that makes one; what it says no to is
 * skipped with its reasons.
 *
 * <p>The chapters, each a file: {@link GridContract} compares with the double reference; {@link RowContract},
 * {@link ViewContract}, {@link MaskingContract}, {@link DeadRowContract} and {@link DropoutContract} state what holds
 * of any attention and need no reference; {@link LayerContract} and {@link
 * LinearContract} do so for softmax, multi-head, rotary and linear layers;
 * {@link LifecycleContract} is about plans, threads, closing and errors.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class AttentionBackendContract
        implements GridContract,
                RowContract,
                ViewContract,
                MaskingContract,
                DeadRowContract,
                DropoutContract,
                LayerContract,
                LinearContract,
                LifecycleContract {
    private @Nullable AttentionBackend shared;

    /** {@return a new backend; the tests close it} */
    protected abstract AttentionBackend backend();

    @Override
    public final synchronized AttentionBackend subject() {
        if (shared == null) {
            shared = backend();
        }
        return shared;
    }

    @Override
    public final AttentionBackend another() {
        return backend();
    }

    @AfterAll
    final void closeTheBackend() {
        if (shared != null) {
            shared.close();
        }
    }
}
