package dev.heed.probe;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The result of a probe.
 *
 * @param id the name of the probe
 * @param title the purpose of the probe, in a few words
 * @param status the outcome
 * @param detail the reason for the outcome, or a remark; may be empty
 * @param figures the values that were measured or read, by name, in the order of the report: texts, numbers and lists of texts
 * @param millis the duration in milliseconds
 */
public record Finding(String id, String title, Status status, String detail, Map<String, Object> figures, long millis) {
    /** The outcome of a probe. */
    public enum Status {
        /** The probe succeeded. */
        OK,
        /** The device or its driver rejected the probe or gave a wrong result: the detail gives the reason. */
        FAILED,
        /** The probe was not run: the detail gives the reason. */
        SKIPPED
    }

    public Finding {
        figures = Collections.unmodifiableMap(new LinkedHashMap<>(figures));
    }

    /** {@return the finding of a probe that succeeded; {@link #of} adds id, title and duration} */
    static Finding ok(String detail, Map<String, Object> figures) {
        return new Finding("", "", Status.OK, detail, figures, 0);
    }

    static Finding failed(String detail, Map<String, Object> figures) {
        return new Finding("", "", Status.FAILED, detail, figures, 0);
    }

    /** {@return the finding of a probe that could not be run to its end} */
    public static Finding broken(String id, String title, String detail) {
        return new Finding(id, title, Status.FAILED, detail, Map.of(), 0);
    }

    static Finding skipped(String detail) {
        return new Finding("", "", Status.SKIPPED, detail, Map.of(), 0);
    }

    Finding of(Probe probe, long took) {
        return new Finding(probe.id(), probe.title(), status, detail, figures, took);
    }
}
