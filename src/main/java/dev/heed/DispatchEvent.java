package dev.heed;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/** The JDK Flight Recorder event of one run of a plan. Its duration covers the computation, not the argument checks before it. */
@Name(DispatchEvent.NAME)
@Label("Attention Dispatch")
@Description("One run of a plan of the attention library")
@Category({"Heed"})
@Enabled(false)
@StackTrace(false)
final class DispatchEvent extends Event {
    static final String NAME = "dev.heed.Dispatch";

    /** The event whose flag {@link #isRecorded} reads, so that the check allocates nothing. */
    private static final DispatchEvent PROBE = new DispatchEvent();

    @Label("Backend")
    @Nullable
    String backend;

    @Label("Operation")
    @Nullable
    String operation;

    @Label("Case")
    @Description("The case string: heed run \"...\" repeats it")
    @Nullable
    String problem;

    @Label("Plan")
    @Description("How the plan computes")
    @Nullable
    String plan;

    @Label("Inputs")
    @DataAmount
    long inputBytes;

    @Label("Outputs")
    @DataAmount
    long outputBytes;

    static boolean isRecorded() {
        return PROBE.isEnabled();
    }
}
