package dev.heed.opencl;

import dev.heed.opencl.calls.ErrorCode;
import dev.heed.opencl.calls.OpenClCalls;
import dev.heed.opencl.calls.OpenClException;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

/**
 * A layer for tests that passes OpenCL calls on to the real implementation. It tracks all handles and can make the n-th call fail
 * with an error code. A release that fails still releases its handle, as a driver would.
 */
public final class FaultyCalls {
    private static final int NONE = Integer.MAX_VALUE;

    private final OpenClCalls real;
    private volatile int failing;
    private volatile int code;
    private final AtomicInteger calls = new AtomicInteger();
    private final Map<String, String> live = new ConcurrentHashMap<>();
    private final Map<String, Integer> counts = new ConcurrentHashMap<>();
    private final Set<Long> asked = ConcurrentHashMap.newKeySet();
    private final List<String> ways = Collections.synchronizedList(new ArrayList<>());
    private volatile String failed = "";
    private volatile String awaited = "";
    private volatile Runnable action = () -> {};

    private FaultyCalls(Device device, int failing, int code) {
        this.real = device.calls;
        this.failing = failing;
        this.code = code;
    }

    /** {@return a layer that counts calls and never fails} */
    public static FaultyCalls counting(Device device) {
        return new FaultyCalls(device, NONE, 0);
    }

    /** {@return a layer whose {@code call}-th call fails, counted from 1} */
    public static FaultyCalls failingAt(Device device, int call, int code) {
        return new FaultyCalls(device, call, code);
    }

    /** {@return all error codes} */
    public static List<Integer> codes() {
        var codes = new ArrayList<Integer>();
        ErrorCode.all().forEach(codes::add);
        codes.sort(null);
        return codes;
    }

    /** {@return the device with this layer of calls} */
    public Device device(Device device) {
        return device.through((OpenClCalls) Proxy.newProxyInstance(
                OpenClCalls.class.getClassLoader(), new Class<?>[] {OpenClCalls.class}, this::call));
    }

    private Object call(Object proxy, Method method, Object[] arguments) throws Throwable {
        String name = method.getName();
        if (name.equals(awaited)) {
            awaited = "";
            action.run();
        }
        counts.merge(name, 1, Integer::sum);
        // The number of status queries of an event depends on timing, so only the first query increases `calls`.
        boolean again = name.equals("eventStatus") && !asked.add((Long) arguments[0]);
        boolean fails = false;
        if (!again) {
            fails = calls.incrementAndGet() == failing;
            if (failing == NONE) {
                ways.add(name + " by " + callers());
            }
        }
        boolean givesBack = name.startsWith("release") || name.equals("unmap");
        if (name.equals("releaseEvent")) {
            asked.remove((Long) arguments[0]);
        }
        if (name.startsWith("release")) {
            live.remove(kind(name.substring("release".length())) + arguments[0]);
        } else if (name.equals("unmap")) {
            live.remove("mapping " + ((MemorySegment) arguments[2]).address());
        }
        Object answer = null;
        if (!fails || givesBack) {
            try {
                answer = method.invoke(real, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }
        if (fails) {
            failed = name;
            throw new OpenClException(name, code);
        }
        if (name.startsWith("create")) {
            live.put(kind(name.substring("create".length())) + answer, name);
        } else if (name.equals("map")) {
            live.put("mapping " + ((MemorySegment) answer).address(), name);
        } else if (name.startsWith("enqueue") && answer instanceof Long event && event != 0) {
            live.put("event " + event, name);
        }
        return answer;
    }

    private static String kind(String name) {
        return (name.equals("SubBuffer") ? "buffer" : name.toLowerCase(Locale.ROOT)) + " ";
    }

    /** {@return the files and lines of the host layer in the call stack} */
    private static String callers() {
        return StackWalker.getInstance()
                .walk(frames -> frames.filter(frame -> frame.getFileName() != null
                                && frame.getClassName().startsWith("dev.heed.opencl."))
                        .filter(frame -> !frame.getClassName().startsWith(FaultyCalls.class.getName()))
                        .map(frame -> frame.getFileName() + ":" + frame.getLineNumber())
                        .collect(Collectors.joining(" ")));
    }

    /** {@return the host layer's call stack of each call, in order; only for a layer that never fails} */
    public List<String> ways() {
        return List.copyOf(ways);
    }

    /** Makes the {@code call}-th call from now on, counted from 1, fail with the error code {@code with}. */
    public void failNext(int call, int with) {
        failed = "";
        code = with;
        failing = calls.get() + call;
    }

    /** Runs {@code work} before the next call with this name. */
    public void beforeNext(String name, Runnable work) {
        action = work;
        awaited = name;
    }

    /** {@return the number of calls so far, without repeated status queries of an event} */
    public int calls() {
        return calls.get();
    }

    /** {@return the number of calls so far by name, with all status queries} */
    public Map<String, Integer> counts() {
        return new TreeMap<>(counts);
    }

    /** {@return the objects that were created and not released} */
    public List<String> live() {
        return live.entrySet().stream()
                .map(entry -> entry.getKey() + " of " + entry.getValue())
                .sorted()
                .toList();
    }

    /** {@return the name of the call that failed, or an empty text} */
    public String failed() {
        return failed;
    }
}
