package dev.heed;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;

/**
 * The tests that every backend must pass. A backend is tested by a short subclass that creates it. Tests of problems that
 * the backend does not support are skipped with its reasons.
 *
 * <p>Each chapter is an interface. {@link GridContract} compares results with the double-precision reference. {@link RowContract}, {@link ShardContract},
 * {@link ViewContract}, {@link MaskingContract}, {@link DeadRowContract} and {@link DropoutContract} test properties of any
 * attention, without a reference, {@link EdgeContract} numbers near the limits of their types. {@link LayerContract} and {@link LinearContract} test properties of softmax, multi-head
 * attention, rotary embeddings and linear layers. {@link LifecycleContract} tests plans, threads, closing and errors.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class AttentionBackendContract
        implements GridContract,
                RowContract,
                ShardContract,
                ViewContract,
                MaskingContract,
                DeadRowContract,
                DropoutContract,
                EdgeContract,
                LayerContract,
                LinearContract,
                LifecycleContract {
    private @Nullable AttentionBackend shared;

    /** {@return a new backend, which the tests close} */
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
