package dev.heed.cli;

import com.google.gson.JsonObject;
import dev.heed.AttentionBackend;
import dev.heed.cli.console.ErrorLine;
import dev.heed.verify.Verdict;
import java.io.PrintWriter;
import java.util.Map;

/** The report of failed and skipped cases by {@code heed verify}, for the grid and for random cases. */
final class VerdictText {
    private VerdictText() {}

    private static String repeat(AttentionBackend backend, Verdict failure) {
        return "heed run \"" + failure.checked() + "\" --backend " + backend.name();
    }

    static void printFailure(PrintWriter out, AttentionBackend backend, Verdict failure) {
        out.println();
        out.println("FAIL     " + failure.checked());
        out.println("         " + ErrorLine.onOneLine(failure.message()));
        out.println("repeat   " + repeat(backend, failure));
    }

    static JsonObject failureJson(AttentionBackend backend, Verdict failure) {
        var json = new JsonObject();
        json.addProperty("case", failure.checked().toString());
        json.addProperty("message", failure.message());
        json.addProperty("repeat", repeat(backend, failure));
        return json;
    }

    /**
     * Prints one line for each reason.
     *
     * @param reasons the number of skipped cases by reason
     */
    static void printSkips(PrintWriter out, Map<String, Integer> reasons) {
        reasons.forEach((reason, count) ->
                out.println("skipped  " + count + (count == 1 ? " case: " : " cases: ") + ErrorLine.onOneLine(reason)));
    }
}
