package dev.heed.opencl;

import dev.heed.opencl.calls.Cl;
import dev.heed.opencl.calls.OpenClCalls;
import dev.heed.opencl.calls.OpenClException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Makes a device report small work-groups and refuse larger ones, for tests; PoCL since version 6 does so for
 * POCL_MAX_WORK_GROUP_SIZE.
 */
public final class SmallGroups {
    private static final int INVALID_WORK_GROUP_SIZE = -54;

    private SmallGroups() {}

    /** {@return the choice of the device with at most {@code most} work-items in a work-group} */
    public static Selection selection(Device device, long most) {
        return Selection.of(of(device, most));
    }

    /** {@return the device with at most {@code most} work-items in a work-group} */
    private static Device of(Device device, long most) {
        OpenClCalls real = device.calls;
        OpenClCalls calls = (OpenClCalls) Proxy.newProxyInstance(
                OpenClCalls.class.getClassLoader(), new Class<?>[] {OpenClCalls.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("deviceInfo") && (int) arguments[1] == Cl.DEVICE_MAX_WORK_GROUP_SIZE) {
                        return ByteBuffer.allocate(Long.BYTES)
                                .order(ByteOrder.nativeOrder())
                                .putLong(most)
                                .array();
                    }
                    if (method.getName().equals("enqueueKernel") && items(arguments) > most) {
                        throw new OpenClException("clEnqueueNDRangeKernel", INVALID_WORK_GROUP_SIZE);
                    }
                    try {
                        return method.invoke(real, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
        return new Device(calls, device.platformHandle, device.handle).at(device.index());
    }

    /** {@return work-items in a work-group of a call of {@code enqueueKernel}; 1 if the driver chooses} */
    private static long items(Object[] arguments) {
        int dimensions = (int) arguments[2];
        MemorySegment sizes = (MemorySegment) arguments[3];
        long items = 1;
        for (int axis = 0; (boolean) arguments[4] && axis < dimensions; axis++) {
            items *= sizes.getAtIndex(ValueLayout.JAVA_LONG, dimensions + axis);
        }
        return items;
    }
}
