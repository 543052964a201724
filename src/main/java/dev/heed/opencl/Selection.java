package dev.heed.opencl;

import java.util.List;
import java.util.Optional;

/**
 * The result of the choice of a device: a device, or the reasons why none was chosen.
 *
 * @param device the chosen device
 * @param reasons the reasons why none was chosen, each with a remedy; empty if there is a device
 */
public record Selection(Optional<Device> device, List<String> reasons) {
    static Selection of(Device device) {
        return new Selection(Optional.of(device), List.of());
    }

    static Selection none(List<String> reasons) {
        return new Selection(Optional.empty(), List.copyOf(reasons));
    }
}
