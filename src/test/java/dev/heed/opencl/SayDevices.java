package dev.heed.opencl;

/** A program that prints the result of discovery, for tests in a separate JVM. */
public final class SayDevices {
    private SayDevices() {}

    public static void main(String[] args) {
        Selection selection = OpenCl.selected();
        selection.device().ifPresent(device -> {
            System.out.println("DEVICE " + device.describe());
            try (DeviceContext context = device.open();
                    DeviceBuffer buffer = context.allocate(64)) {
                context.queue().fill(buffer, 0, 64, 42);
                int[] out = new int[16];
                context.queue().read(buffer, 0, java.lang.foreign.MemorySegment.ofArray(out));
                System.out.println(
                        "FILLED " + out[15] + " by " + device.calls.getClass().getSimpleName());
            }
        });
        selection.reasons().forEach(reason -> System.out.println("REASON " + reason));
        if (selection.device().isPresent()) {
            OpenCl.discovery().reasons().forEach(reason -> System.out.println("BESIDE " + reason));
        }
    }
}
