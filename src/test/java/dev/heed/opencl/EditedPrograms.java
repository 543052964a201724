package dev.heed.opencl;

import dev.heed.opencl.calls.OpenClCalls;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.function.UnaryOperator;

/** Contexts that edit kernel sources before the driver compiles them, for tests with wrong kernels. */
public final class EditedPrograms {
    private EditedPrograms() {}

    /** {@return a context that edits every source before compilation and caches no program on disk} */
    public static DeviceContext open(Device device, UnaryOperator<String> edit) {
        OpenClCalls real = device.calls;
        var calls = (OpenClCalls) Proxy.newProxyInstance(
                OpenClCalls.class.getClassLoader(), new Class<?>[] {OpenClCalls.class}, (proxy, method, given) -> {
                    if (method.getName().equals("createProgram") && given[1] instanceof String text) {
                        given[1] = edit.apply(text);
                    }
                    try {
                        return method.invoke(real, given);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
        return new DeviceContext(
                device.through(calls), ContextSettings.ofProperties(device).withCache(null));
    }
}
