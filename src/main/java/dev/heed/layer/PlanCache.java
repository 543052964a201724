package dev.heed.layer;

import dev.heed.Plan;
import dev.heed.Problem;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.function.Function;

/**
 * The plans of a tape, by problem. A plan stays open for the rest of the pass that used it, because its backward pass may follow, and
 * for {@value #PASSES} passes after that. So a tape has the plans of a few passes, for any number of different problems.
 */
final class PlanCache {
    private static final int PASSES = 8;

    /** A plan, and the number of the pass that used it last. */
    private static final class Cached {
        private final Plan<?> plan;
        private long pass;

        Cached(Plan<?> plan) {
            this.plan = plan;
        }
    }

    private final Map<Problem, Cached> plans = new HashMap<>();
    private long pass;

    /** {@return the plan of a problem, made if there is none} */
    Plan<?> plan(Problem problem, Function<Problem, Plan<?>> make) {
        Cached cached = plans.computeIfAbsent(problem, any -> new Cached(make.apply(any)));
        cached.pass = pass;
        return cached.plan;
    }

    /** Closes the plans that were not used for some passes. */
    void endPass() {
        for (Iterator<Cached> all = plans.values().iterator(); all.hasNext(); ) {
            Cached cached = all.next();
            if (pass - cached.pass >= PASSES) {
                all.remove();
                cached.plan.close();
            }
        }
        pass++;
    }

    int size() {
        return plans.size();
    }

    void close() {
        plans.values().forEach(cached -> cached.plan.close());
        plans.clear();
    }
}
