package dev.heed.cli;

import dev.heed.verify.Case;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The computation whose sizes are measured: the kernels of an OpenCL device, or the loops of the vector backend. */
interface TuneTarget {
    /**
     * The result of a candidate on one case.
     *
     * @param seconds the time of a run
     * @param bits a hash of the result if every candidate must compute the same bits, else 0
     * @param trouble why the candidate is rejected; empty if its result passed the check
     */
    record Tried(double seconds, long bits, String trouble) {}

    /** {@return the name of the backend} */
    String backend();

    /** {@return one line: the device or the processor} */
    String describe();

    /**
     * {@return the number of rounds; in each, the current sizes and then all candidates are measured} With more than one, the
     * current sizes are measured once more at the end, and a candidate is stored only if it is always faster, and by more than the
     * times of the current sizes differ.
     */
    int rounds();

    /** {@return the sizes to measure for cases; empty lists stand for the default cases and the default candidates} */
    List<TuneSubject> subjects(List<String> cases, List<String> candidates);

    /** {@return options of the JVM that tries a candidate, or the current sizes if it is null} */
    List<String> properties(@Nullable String candidate);

    /** Tries the sizes of this process on a case, after a check of a small case against the double-precision reference. */
    Tried attempt(Case timed);

    /** {@return the row of a table that stores a candidate} */
    String row(TuneSubject subject, String candidate);

    /** Stores a row and returns its file. */
    Path store(TuneSubject subject, String row) throws IOException;

    /** {@return lines that present rows in the format of a table of the jar; empty if there is no such format} */
    List<String> forTheJar(List<String> rows);
}
