package dev.heed.probe;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a probe found.
 *
 * @param id the probe's name
 * @param title what it tries
 * @param status how it ended
 * @param detail in words: the reason, or what is remarkable; may be empty
 * @param figures what was measured or read, by name: texts, numbers and lists of texts, in order
 * @param millis how long it took
 */
public record Finding(String id, String title, Status status, String detail, Map<String, Object> figures, long millis) {
    /** How a probe ended. */
    public enum Status {
        /** It did what it tried. */
        OK,
        /** The device or its driver refused, or answered wrongly: the detail says how. */
        FAILED,
        /** It was not tried: the detail says why. */
        SKIPPED
    }

    public Finding {
        figures = Collections.unmodifiableMap(new LinkedHashMap<>(figures));
    }

    /** What a probe hands out; the rest is known to its caller. */
    static Finding ok(String detail, Map<String, Object> figures) {
        return new Finding("", "", Status.OK, detail, figures, 0);
    }

    static Finding failed(String detail, Map<String, Object> figures) {
        return new Finding("", "", Status.FAILED, detail, figures, 0);
    }

    /** A probe that could not be run, or did not end. */
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
