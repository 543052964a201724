package dev.heed;

import dev.heed.settings.Settings;
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
 * The registry of the backends of this process and the choice of the backend for a problem. The automatic choice is the
 * fastest backend that supports the problem.
 *
 * <p>System properties: {@code heed.backend} is the backend of calls that do not name one; the default is {@code auto}.
 * With {@code heed.strict=true} the automatic choice throws instead of passing over a faster backend; the default is false.
 */
public final class Backends {
    private static final System.Logger LOG = System.getLogger("dev.heed");
    private static final Set<String> SAID = ConcurrentHashMap.newKeySet();

    private Backends() {}

    private static volatile @Nullable List<AttentionBackend> loaded;

    /**
     * {@return all backends, ready or not, by descending priority}
     *
     * @throws InvalidInputException if a system property of Heed has a value that cannot be read
     */
    public static List<AttentionBackend> all() {
        List<AttentionBackend> known = loaded;
        return known != null ? known : load();
    }

    private static synchronized List<AttentionBackend> load() {
        List<AttentionBackend> known = loaded;
        if (known == null) {
            Settings.check();
            List<AttentionBackend> backends = new ArrayList<>();
            ServiceLoader.load(AttentionBackend.class, AttentionBackend.class.getClassLoader())
                    .forEach(backends::add);
            backends.sort(Comparator.comparingInt(AttentionBackend::priority)
                    .reversed()
                    .thenComparing(AttentionBackend::name));
            known = List.copyOf(backends);
            loaded = known;
        }
        return known;
    }

    /**
     * {@return the backend with a name}
     *
     * @throws InvalidInputException if no backend has this name
     */
    public static AttentionBackend named(String name) {
        return named(all(), name);
    }

    /**
     * {@return the backend selected for a problem}
     *
     * @param problem the problem to compute
     * @param name the requested backend, or null for {@code heed.backend}, whose default is the automatic choice
     * @throws InvalidInputException if no backend has the name
     * @throws UnsupportedAttentionException if the requested backend is not ready or does not support the problem; for the
     *     automatic choice, if this is true of every backend, or if {@code heed.strict} forbids the choice
     */
    public static AttentionBackend select(Problem problem, @Nullable String name) {
        return select(all(), List.of(problem), name);
    }

    /**
     * {@return the backend selected for several problems, all of which it supports}
     *
     * @param backends the candidates, fastest first
     * @param problems the problems to compute; if there are none, the backend need only be ready
     * @param name the requested backend, or null for {@code heed.backend}, whose default is the automatic choice
     * @throws InvalidInputException if no backend has the name
     * @throws UnsupportedAttentionException if no backend can be selected, see {@link #select(Problem, String)}
     */
    public static AttentionBackend select(
            List<? extends AttentionBackend> backends, List<? extends Problem> problems, @Nullable String name) {
        return select(backends, problems, asked(name), Settings.STRICT.or(false));
    }

    private static String asked(@Nullable String name) {
        return name != null ? name : Settings.BACKEND.or("auto");
    }

    /**
     * Computes with the backend that {@link #select} returns. If this backend was chosen automatically and fails, logs one
     * line and computes with the next backend that supports the problem, unless {@code heed.strict} is true.
     */
    static void compute(Problem problem, @Nullable String name, Consumer<AttentionBackend> work) {
        compute(all(), problem, asked(name), Settings.STRICT.or(false), work);
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
                        "backend " + backend.name() + " failed, the next one continues: "
                                + String.valueOf(e.getMessage())
                                        .lines()
                                        .findFirst()
                                        .orElse(""));
            }
        }
    }

    /** {@return one line per backend: whether it can compute a problem, and the reasons if it cannot} */
    public static String explain(Problem problem) {
        return explain(all(), problem);
    }

    static AttentionBackend named(List<? extends AttentionBackend> backends, String name) {
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

    static AttentionBackend select(
            List<? extends AttentionBackend> backends, Problem problem, String asked, boolean strict) {
        return select(backends, List.of(problem), asked, strict);
    }

    private static AttentionBackend select(
            List<? extends AttentionBackend> backends, List<? extends Problem> problems, String asked, boolean strict) {
        if (!asked.equals("auto")) {
            AttentionBackend backend = named(backends, asked);
            if (reasons(backend, problems).isEmpty()) {
                return backend;
            }
            throw refusal(
                    "Backend " + asked + (problems.isEmpty() ? " is not ready" : " cannot compute this"),
                    backends,
                    problems,
                    "heed devices says what is missing; or leave the backend out");
        }
        List<AttentionBackend> ordered = new ArrayList<>(backends);
        ordered.sort(
                Comparator.comparing(backend -> isSlower(backend, problems))); // slower backends last, as a fallback
        List<String> passedOver = new ArrayList<>();
        for (AttentionBackend backend : ordered) {
            List<String> reasons = reasons(backend, problems);
            if (!reasons.isEmpty()) {
                passedOver.add(backend.name() + ": " + String.join("; ", reasons));
                continue;
            }
            if (strict && !passedOver.isEmpty()) {
                throw refusal(
                        "heed.strict forbids passing over a faster backend",
                        backends,
                        problems,
                        "fix these reasons, or start java without -Dheed.strict=true");
            }
            say(backend, passedOver);
            return backend;
        }
        throw refusal("No backend can compute this", backends, problems, "heed devices says what is missing");
    }

    private static boolean isSlower(AttentionBackend backend, List<? extends Problem> problems) {
        return problems.stream()
                .anyMatch(problem -> !backend.passOverReasons(problem).isEmpty());
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
        return reasons(backend, List.of(problem));
    }

    private static List<String> reasons(AttentionBackend backend, List<? extends Problem> problems) {
        List<String> notReady = backend.notReadyReasons();
        return notReady.isEmpty()
                ? problems.stream()
                        .flatMap(problem -> backend.notSupportedReasons(problem).stream())
                        .distinct()
                        .toList()
                : notReady;
    }

    private static UnsupportedAttentionException refusal(
            String subject, List<? extends AttentionBackend> backends, List<? extends Problem> problems, String hint) {
        var text = new StringBuilder(subject).append('.');
        problems.forEach(problem -> text.append("\n  case      ").append(problem));
        text.append(backends.isEmpty() ? "\nthere is none" : "");
        for (AttentionBackend backend : backends) {
            List<String> reasons = reasons(backend, problems);
            text.append("\n").append(backend.name());
            text.append(reasons.isEmpty() ? " can" : " cannot, because:");
            reasons.forEach(reason -> text.append("\n    ").append(reason));
        }
        return new UnsupportedAttentionException(
                text.append("\nHINT: ").append(hint).toString());
    }

    /** Logs each choice with its reasons once per process, up to 100 different choices. */
    private static void say(AttentionBackend backend, List<String> passedOver) {
        String line = "attention runs on " + backend.name()
                + (passedOver.isEmpty() ? "" : " (passed over " + String.join(" | ", passedOver) + ")");
        if (SAID.size() < 100 && SAID.add(line)) {
            LOG.log(passedOver.isEmpty() ? System.Logger.Level.DEBUG : System.Logger.Level.INFO, line);
        }
    }
}
