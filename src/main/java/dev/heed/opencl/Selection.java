package dev.heed.opencl;

import java.util.List;
import java.util.Optional;

/**
 * A device, or the reasons why there is none.
 *
 * @param device the device to compute on
 * @param reasons the reasons why there is none, each with a remedy; empty if there is a device
 */
public record Selection(Optional<Device> device, List<String> reasons) {
    static Selection of(Device device) {
        return new Selection(Optional.of(device), List.of());
    }

    static Selection none(List<String> reasons) {
        return new Selection(Optional.empty(), List.copyOf(reasons));
    }
}
