package dev.heed.bench;

import ai.onnxruntime.OrtException;
import dev.heed.backend.opencl.OpenClBackend;
import dev.heed.backend.opencl.OpenClOptions;
import dev.heed.backend.vector.VectorBackend;
import dev.heed.verify.NaiveBackend;

/** A library or backend that computes workloads: Heed, or a peer. */
interface Contestant {
    /** {@return the contestant that a value of the benchmark parameter {@code backend} names} */
    static Contestant named(String backend) {
        return switch (backend) {
            case "vector" -> new Heed(VectorBackend::new);
            case "opencl" -> new Heed(threads -> openCl(true)); // the driver chooses its threads
            case "opencl-jocl" -> new Heed(threads -> openCl(false));
            case "opencl-resident" -> new ResidentHeed(openCl(true));
            case "opencl-resident-jocl" -> new ResidentHeed(openCl(false));
            case "naive" -> new Heed(threads -> new NaiveBackend());
            case "libtorch" -> new Libtorch();
            case "djl" -> new DjlTorch();
            case "onnxruntime" -> new OnnxRuntime();
            case "onnxruntime-gqa" -> new OnnxGroupQuery();
            default -> throw new IllegalArgumentException("backend " + backend);
        };
    }

    private static OpenClBackend openCl(boolean direct) {
        return new OpenClBackend(OpenClOptions.DEFAULT.withDirectCalls(direct));
    }

    /**
     * {@return a prepared workload that runs on {@code threads} threads}
     *
     * @throws RuntimeException if this contestant cannot compute the workload, or cannot run on this machine
     */
    Entry enter(Workload workload, int threads) throws OrtException;

    /** {@return whether this contestant's answers must be within Heed's error budget instead of the tolerance for peers} */
    boolean isHeed();
}
