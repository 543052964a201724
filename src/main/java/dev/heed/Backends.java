package dev.heed;

import dev.heed.tensor.InvalidInputException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The backends of this process, fastest first, and the choice among them.
 *
 * <p>System properties: {@code heed.backend} names the backend for calls that name none; {@code heed.strict=true} makes the
 * automatic choice throw where it would pass over a faster backend.
 */
public final class Backends {
    private static final System.Logger LOG = System.getLogger("dev.heed");
    private static final Set<String> SAID = ConcurrentHashMap.newKeySet();

    private Backends() {}

    private static final class Holder {
        private static final List<AttentionBackend> ALL = load();

        private static List<AttentionBackend> load() {
            List<AttentionBackend> backends = new ArrayList<>();
            ServiceLoader.load(AttentionBackend.class, AttentionBackend.class.getClassLoader())
                    .forEach(backends::add);
            backends.sort(Comparator.comparingInt(AttentionBackend::priority)
                    .reversed()
                    .thenComparing(AttentionBackend::name));
            return List.copyOf(backends);
        }
    }

    /** {@return all backends, ready or not, fastest first} */
    public static List<AttentionBackend> all() {
        return Holder.ALL;
    }

    /**
     * {@return the backend with a name}
     *
     * @throws InvalidInputException if there is none
     */
    public static AttentionBackend named(String name) {
        return named(all(), name);
    }

    /**
     * {@return the backend that computes a problem}
     *
     * @param problem what is asked
     * @param name the backend asked for, or null for {@code heed.backend} or else the fastest that can
     * @throws InvalidInputException if no backend has the name
     * @throws UnsupportedAttentionException if the backend asked for cannot, or none can
     */
    public static AttentionBackend select(Problem problem, @Nullable String name) {
        String asked = name != null ? name : System.getProperty("heed.backend", "auto");
        return select(all(), problem, asked, Boolean.getBoolean("heed.strict"));
    }

    /**
     * Computes with the backend that {@link #select} takes. If that was the automatic choice and the backend fails on the
     * way, the next one that can goes on, and one line in the log says so.
     */
    static void compute(Problem problem, @Nullable String name, Consumer<AttentionBackend> work) {
        String asked = name != null ? name : System.getProperty("heed.backend", "auto");
        compute(all(), problem, asked, Boolean.getBoolean("heed.strict"), work);
    }

    static void compute(
            List<AttentionBackend> backends,
            Problem problem,
            String asked,
            boolean strict,
            Consumer<AttentionBackend> work) {
        List<AttentionBackend> left = new ArrayList<>(backends);
        while (true) {
            AttentionBackend backend = select(left, problem, asked, strict);
            try {
                work.accept(backend);
                return;
            } catch (BackendFailedException e) {
                left.remove(backend);
                boolean another =
                        left.stream().anyMatch(b -> reasons(b, problem).isEmpty());
                if (!asked.equals("auto") || strict || !another) {
                    throw e;
                }
                LOG.log(
                        System.Logger.Level.WARNING,
                        "backend " + backend.name() + " failed, another goes on: "
                                + String.valueOf(e.getMessage())
                                        .lines()
                                        .findFirst()
                                        .orElse(""));
            }
        }
    }

    /** {@return what each backend answers to a problem, one line each} */
    public static String explain(Problem problem) {
        return explain(all(), problem);
    }

    static AttentionBackend named(List<AttentionBackend> backends, String name) {
        for (AttentionBackend backend : backends) {
            if (backend.name().equals(name)) {
                return backend;
            }
        }
        throw new InvalidInputException(
                "Unknown backend",
                "auto or one of "
                        + backends.stream().map(AttentionBackend::name).collect(Collectors.joining(", ")),
                name,
                "heed devices lists them");
    }

    static AttentionBackend select(List<AttentionBackend> backends, Problem problem, String asked, boolean strict) {
        if (!asked.equals("auto")) {
            AttentionBackend backend = named(backends, asked);
            if (reasons(backend, problem).isEmpty()) {
                return backend;
            }
            throw refusal(
                    "Backend " + asked + " cannot compute this",
                    backends,
                    problem,
                    "leave the backend out, or ask for another");
        }
        List<String> passedOver = new ArrayList<>();
        List<AttentionBackend> slower = new ArrayList<>();
        for (AttentionBackend backend : backends) {
            if (!backend.passOverReasons(problem).isEmpty()) {
                slower.add(backend);
                continue;
            }
            List<String> reasons = reasons(backend, problem);
            if (reasons.isEmpty()) {
                if (strict && !passedOver.isEmpty()) {
                    throw refusal(
                            "heed.strict forbids to pass over a faster backend",
                            backends,
                            problem,
                            "mend the reasons, or start java without -Dheed.strict=true");
                }
                say(backend, passedOver);
                return backend;
            }
            passedOver.add(backend.name() + ": " + String.join("; ", reasons));
        }
        for (AttentionBackend backend : slower) { // better than none
            if (reasons(backend, problem).isEmpty()) {
                say(backend, passedOver);
                return backend;
            }
        }
        throw refusal("No backend can compute this", backends, problem, "heed devices says what to install");
    }

    static String explain(List<AttentionBackend> backends, Problem problem) {
        return backends.stream()
                .map(backend -> {
                    List<String> reasons = reasons(backend, problem);
                    return backend.name()
                            + (reasons.isEmpty() ? ": yes" : ": no, because " + String.join("; ", reasons));
                })
                .collect(Collectors.joining("\n"));
    }

    private static List<String> reasons(AttentionBackend backend, Problem problem) {
        List<String> notReady = backend.notReadyReasons();
        return notReady.isEmpty() ? backend.notSupportedReasons(problem) : notReady;
    }

    private static UnsupportedAttentionException refusal(
            String subject, List<AttentionBackend> backends, Problem problem, String hint) {
        var text = new StringBuilder(subject).append(".\n  case      ").append(problem);
        for (AttentionBackend backend : backends) {
            List<String> reasons = reasons(backend, problem);
            text.append("\n").append(backend.name());
            text.append(reasons.isEmpty() ? " can" : " cannot, because:");
            reasons.forEach(reason -> text.append("\n    ").append(reason));
        }
        return new UnsupportedAttentionException(
                text.append("\nHINT: ").append(hint).toString());
    }

    /** One line for each choice and its reasons in the life of the process, so that no fallback is silent. */
    private static void say(AttentionBackend backend, List<String> passedOver) {
        String line = "attention runs on " + backend.name()
                + (passedOver.isEmpty() ? "" : " (passed over " + String.join(" | ", passedOver) + ")");
        if (SAID.size() < 100 && SAID.add(line)) {
            LOG.log(passedOver.isEmpty() ? System.Logger.Level.DEBUG : System.Logger.Level.INFO, line);
        }
    }
}
