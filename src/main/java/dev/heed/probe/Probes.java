package dev.heed.probe;

import java.util.ArrayList;
import java.util.List;

/** The list of all probes, in the order in which they are reported. */
public final class Probes {
    private static final int MOST_DECLARED = 48; // kilobytes of local memory that every kernel on NVIDIA may declare

    private static final List<Probe> ALL = all();

    private Probes() {}

    private static List<Probe> all() {
        List<Probe> probes = new ArrayList<>();
        probes.add(new Probe("limits", "what the driver reports", false, LimitsProbe::limits));
        for (int kilobytes : LocalMemoryProbe.KILOBYTES) {
            probes.add(new Probe(
                    "local.static." + kilobytes,
                    kilobytes + " KB of local memory, declared in the kernel",
                    false,
                    context -> LocalMemoryProbe.declared(context, kilobytes)));
            probes.add(new Probe(
                    "local.argument." + kilobytes,
                    kilobytes + " KB of local memory, as an argument",
                    false,
                    context -> kilobytes > MOST_DECLARED
                            ? DoorProbe.localArgument(context, kilobytes)
                            : LocalMemoryProbe.argument(context, kilobytes)));
        }
        probes.add(new Probe("ptx.laneid", "inline PTX: mov laneid", true, PtxProbe::laneid));
        probes.add(new Probe(
                "ptx.mma.f16", "inline PTX: mma.sync m16n8k16 f16", true, context -> PtxProbe.mma(context, "f16")));
        probes.add(new Probe(
                "ptx.mma.bf16", "inline PTX: mma.sync m16n8k16 bf16", true, context -> PtxProbe.mma(context, "bf16")));
        probes.add(new Probe("ptx.ldmatrix", "inline PTX: ldmatrix.x4", true, PtxProbe::ldmatrix));
        probes.add(new Probe("ptx.cp.async", "inline PTX: cp.async 16 bytes", true, PtxProbe::copyAsync));
        probes.add(new Probe("ptx.ex2", "inline PTX: ex2.approx.ftz.f32", true, PtxProbe::exponential));
        probes.add(new Probe("ptx.ex2.f16x2", "inline PTX: ex2.approx.f16x2", true, PtxProbe::exponentialPair));
        probes.add(new Probe("ptx.bulk", "inline PTX: mbarrier and cp.async.bulk", true, PtxProbe::bulk));
        probes.add(
                new Probe("ptx.wgmma", "inline PTX: wgmma, no option", true, context -> PtxProbe.wgmma(context, "")));
        probes.add(new Probe(
                "ptx.wgmma.arch",
                "inline PTX: wgmma, -cl-nv-arch sm_90a",
                true,
                context -> PtxProbe.wgmma(context, "-cl-nv-arch sm_90a")));
        probes.add(new Probe("binary.head", "the first lines of a program binary", false, BinaryProbe::head));
        probes.add(new Probe("binary.reload", "a program binary loaded back", false, BinaryProbe::reload));
        probes.add(new Probe("binary.edited", "PTX text edited and loaded back", true, BinaryProbe::edited));
        probes.add(new Probe(
                "binary.parameter", "PTX whose parameters are plain .u64", true, BinaryProbe::plainParameters));
        probes.add(new Probe("binary.sm_90a", "PTX edited to .target sm_90a", true, BinaryProbe::target));
        probes.add(new Probe(
                "binary.wgmma", "PTX edited to .target sm_90a, with wgmma", true, BinaryProbe::targetWithWgmma));
        doors(probes);
        probes.add(new Probe("compiler.log", "registers and spills in the build log", true, CompilerProbe::log));
        probes.add(new Probe(
                "compiler.kernel", "the driver's figures for a compiled kernel", false, CompilerProbe::kernel));
        probes.add(new Probe("event.resolution", "the resolution of event times", false, WaitProbe::resolution));
        probes.add(new Probe("wait.poll", "processor time of waiting by polling", false, WaitProbe::polling));
        probes.add(new Probe("wait.driver", "processor time of the driver's own wait", false, WaitProbe::blocking));
        probes.add(new Probe("copy", "copies between host and device", false, SpeedProbe::copies));
        probes.add(new Probe("launch", "cost of a launch: JOCL against direct calls", false, SpeedProbe::launches));
        probes.add(new Probe("peak.memory", "bandwidth of the device's memory", false, SpeedProbe::memory));
        probes.add(new Probe("peak.fma", "f32 multiply-adds", false, SpeedProbe::arithmetic));
        return List.copyOf(probes);
    }

    private static void doors(List<Probe> probes) {
        for (int kilobytes : List.of(16, 96, 227)) {
            probes.add(new Probe(
                    "door.arch." + kilobytes,
                    "OpenCL C by -cl-nv-arch sm_90a, " + kilobytes + " KB declared",
                    true,
                    context -> DoorProbe.architecture(context, kilobytes)));
        }
        for (String target : List.of("sm_80", "sm_90a")) {
            probes.add(new Probe(
                    "door.text." + target,
                    "PTX of our own for " + target + " as a program binary",
                    true,
                    context -> DoorProbe.loaded(context, target)));
        }
        for (int kilobytes : DoorProbe.KILOBYTES) {
            probes.add(new Probe(
                    "door.argument." + kilobytes,
                    "PTX of our own for sm_80, " + kilobytes + " KB of local memory as an argument",
                    true,
                    context -> DoorProbe.argument(context, "sm_80", kilobytes)));
            probes.add(new Probe(
                    "door.argument.sm_90a." + kilobytes,
                    "PTX of our own for sm_90a, " + kilobytes + " KB of local memory as an argument",
                    true,
                    context -> DoorProbe.argument(context, "sm_90a", kilobytes)));
            probes.add(new Probe(
                    "door.declared." + kilobytes,
                    "PTX of our own for sm_90a that declares " + kilobytes + " KB",
                    true,
                    context -> DoorProbe.declared(context, kilobytes)));
        }
        for (int kilobytes : List.of(8, 96)) {
            probes.add(new Probe(
                    "door.wgmma." + kilobytes,
                    "a product by wgmma.mma_async, its factors at the end of " + kilobytes + " KB",
                    true,
                    context -> DoorProbe.wgmma(context, kilobytes)));
        }
    }

    /** {@return all probes} */
    public static List<Probe> list() {
        return ALL;
    }
}
