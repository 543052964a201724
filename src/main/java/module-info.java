import dev.heed.AttentionBackend;
import dev.heed.backend.opencl.OpenClBackend;
import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.backend.vector.ScalarBackend;
import dev.heed.backend.vector.VectorBackend;

/** Attention for Java: one contract, every mechanism, CPU and GPU. */
module dev.heed {
    requires jdk.incubator.vector;
    requires static java.desktop; // pictures as PNG, where the runtime image can
    requires static jdk.jfr; // recording, where the runtime image can
    requires static jocl; // absent: no OpenCL, and a reason that says so
    requires static org.jspecify;

    exports dev.heed;
    exports dev.heed.backend.opencl;
    exports dev.heed.backend.reference;
    exports dev.heed.backend.vector;
    exports dev.heed.attribution;
    exports dev.heed.layer;
    exports dev.heed.mask;
    exports dev.heed.mechanism;
    exports dev.heed.pooling;
    exports dev.heed.random;
    exports dev.heed.score;
    exports dev.heed.storage;
    exports dev.heed.tensor;
    exports dev.heed.training;
    exports dev.heed.verify;
    exports dev.heed.view;

    uses AttentionBackend;

    provides AttentionBackend with
            OpenClBackend,
            ReferenceBackend,
            ScalarBackend,
            VectorBackend;
}
