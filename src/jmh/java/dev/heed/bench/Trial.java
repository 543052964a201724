package dev.heed.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.Arrays;

/**
 * The result of one benchmark.
 *
 * @param values the secondary result (in JMH's terms) of each iteration; empty if the benchmark failed
 * @param failure the reason why the benchmark failed; empty if it succeeded
 */
record Trial(double[] values, String failure) {

    /**
     * {@return the result of the best iteration; NaN if the benchmark failed} On a shared machine, slower iterations
     * often measure the load of other processes too.
     */
    double best() {
        return Arrays.stream(values).max().orElse(Double.NaN);
    }

    boolean failed() {
        return values.length == 0;
    }

    /** {@return a trial with the values of both; if either failed, a failed trial} */
    Trial and(Trial other) {
        if (failed() || other.failed()) {
            return failed() ? this : other;
        }
        double[] all = Arrays.copyOf(values, values.length + other.values.length);
        System.arraycopy(other.values, 0, all, values.length, other.values.length);
        return new Trial(all, "");
    }

    JsonObject json() {
        var json = new JsonObject();
        if (failed()) {
            json.addProperty("failure", failure);
            return json;
        }
        json.addProperty("best", best());
        json.addProperty("mean", Arrays.stream(values).average().orElse(Double.NaN));
        var all = new JsonArray();
        Arrays.stream(values).forEach(all::add);
        json.add("values", all);
        return json;
    }
}
