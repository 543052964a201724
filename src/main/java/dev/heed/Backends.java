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
 * The backends of this process, fastest first, and the choice among them.
 *
 * <p>System properties: {@code heed.backend} names the backend for calls that name none; {@code heed.strict=true} makes the
 * automatic choice throw where it would pass over a faster backend.
 */
public final class Backends {
    private static final System.Logger LOG = System.getLogger("dev.heed");
    private static final Set<String> SAID = ConcurrentHashMap.newKeySet();

    private Backends() {}

    private static volatile @Nullable List<AttentionBackend> loaded;

    /**
     * {@return all backends, ready or not, fastest first}
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
        return select(all(), List.of(problem), name);
    }

    /**
     * {@return the backend, out of some, that computes all of some problems}
     *
     * @param backends the candidates, fastest first
     * @param problems what is asked; with none, a backend has only to be ready
     * @param name the backend asked for, or null for {@code heed.backend} or else the fastest that can
     * @throws InvalidInputException if no backend has the name
     * @throws UnsupportedAttentionException if the backend asked for cannot, or none can
     */
    public static AttentionBackend select(
            List<? extends AttentionBackend> backends, List<? extends Problem> problems, @Nullable String name) {
        return select(backends, problems, asked(name), Settings.STRICT.or(false));
    }

    private static String asked(@Nullable String name) {
        return name != null ? name : Settings.BACKEND.or("auto");
    }

    /**
     * Computes with the backend that {@link #select} takes. If that was the automatic choice and the backend fails on the
     * way, the next one that can goes on, and one line in the log says so.
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
        ordered.sort(Comparator.comparing(backend -> isSlower(backend, problems))); // better than none
        List<String> passedOver = new ArrayList<>();
        for (AttentionBackend backend : ordered) {
            List<String> reasons = reasons(backend, problems);
            if (!reasons.isEmpty()) {
                passedOver.add(backend.name() + ": " + String.join("; ", reasons));
                continue;
            }
            if (strict && !passedOver.isEmpty()) {
                throw refusal(
                        "heed.strict forbids to pass over a faster backend",
                        backends,
                        problems,
                        "mend the reasons, or start java without -Dheed.strict=true");
            }
            say(backend, passedOver);
            return backend;
        }
        throw refusal("No backend can compute this", backends, problems, "heed devices says what to install");
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

    /** One line for each choice and its reasons in the life of the process, so that no fallback is silent. */
    private static void say(AttentionBackend backend, List<String> passedOver) {
        String line = "attention runs on " + backend.name()
                + (passedOver.isEmpty() ? "" : " (passed over " + String.join(" | ", passedOver) + ")");
        if (SAID.size() < 100 && SAID.add(line)) {
            LOG.log(passedOver.isEmpty() ? System.Logger.Level.DEBUG : System.Logger.Level.INFO, line);
        }
    }
}
