import dev.heed.AttentionBackend;
import dev.heed.backend.opencl.OpenClBackend;
import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.backend.vector.ScalarBackend;
import dev.heed.backend.vector.VectorBackend;

/** Attention mechanisms for Java on the CPU and the GPU, with the same semantics on every backend. */
module dev.heed {
    requires jdk.incubator.vector;
    requires java.management; // with jdk.management: whether the JVM uses fused multiply-add
    requires jdk.management;
    requires static java.desktop; // PNG pictures; optional
    requires static jdk.jfr; // JDK Flight Recorder events; optional
    requires static jocl; // OpenCL; without it the OpenCL backend reports that it is not ready
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
