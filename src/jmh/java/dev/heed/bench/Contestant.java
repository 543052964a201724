package dev.heed.bench;

import ai.onnxruntime.OrtException;
import dev.heed.backend.opencl.OpenClBackend;
import dev.heed.backend.opencl.OpenClOptions;
import dev.heed.backend.vector.VectorBackend;
import dev.heed.verify.NaiveBackend;

/** Someone who computes workloads: Heed, or a peer. */
interface Contestant {
    /** The backends of Heed and the peers, by the name that a benchmark's parameter has. */
    static Contestant named(String backend) {
        return switch (backend) {
            case "vector" -> new Heed(VectorBackend::new);
            case "opencl" -> new Heed(threads -> openCl(true)); // on the threads that its driver takes
            case "opencl-jocl" -> new Heed(threads -> openCl(false));
            case "opencl-resident" -> new ResidentHeed(openCl(true));
            case "opencl-resident-jocl" -> new ResidentHeed(openCl(false));
            case "naive" -> new Heed(threads -> new NaiveBackend());
            case "libtorch" -> new Libtorch();
            case "djl" -> new DjlTorch();
            case "onnxruntime" -> new OnnxRuntime();
            default -> throw new IllegalArgumentException("backend " + backend);
        };
    }

    private static OpenClBackend openCl(boolean direct) {
        return new OpenClBackend(OpenClOptions.DEFAULT.withDirectCalls(direct));
    }

    /**
     * {@return a workload made ready to run on a number of threads}
     *
     * @throws RuntimeException if this contestant does not compute it, or not here
     */
    Entry enter(Workload workload, int threads) throws OrtException;

    /** {@return whether its answers are held to Heed's own error budget, rather than to a peer's tolerance} */
    boolean isHeed();
}
