package dev.heed.view;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;

/**
 * The weights of one row as bars: what one query makes of its keys. Immutable; every method gives a new one.
 *
 * <p>More than {@value #MAX_BARS} weights are put together, and a caption says so.
 */
public final class WeightProfile extends Picture {
    /** How many bars are drawn; more are put together. */
    public static final int MAX_BARS = 512;

    private final HeatMap row;

    private WeightProfile(HeatMap row) {
        this.row = row;
    }

    /**
     * {@return the profile of a tensor with one axis, whose numbers are copied}
     *
     * @throws InvalidInputException if the tensor has not one axis
     */
    public static WeightProfile of(Tensor weights) {
        if (weights.rank() != 1) {
            throw new InvalidInputException(
                    "A profile has one axis",
                    "[columns]",
                    weights.toString(),
                    "weights.select(0, batch).select(0, head).select(0, row) is one row");
        }
        return new WeightProfile(HeatMap.of(weights.unsqueeze(0)));
    }

    /**
     * {@return the profile of an array, whose numbers are copied}
     *
     * @throws InvalidInputException if there are no numbers
     */
    public static WeightProfile of(double... weights) {
        return new WeightProfile(HeatMap.of(new double[][] {weights}));
    }

    /**
     * {@return this profile with a label for each weight}
     *
     * @throws InvalidInputException if there are more or fewer labels than weights
     */
    public WeightProfile labels(List<String> labels) {
        return new WeightProfile(row.columns(labels));
    }

    /** {@return this profile with a title} */
    public WeightProfile title(String title) {
        return new WeightProfile(row.title(title));
    }

    /** {@return this profile with names for what the bars are and how high they are, such as "key" and "weight"} */
    public WeightProfile axes(String bars, String height) {
        return new WeightProfile(row.axes(height, bars));
    }

    /** {@return this profile on another ground} */
    public WeightProfile theme(Theme theme) {
        return new WeightProfile(row.theme(theme));
    }

    /** {@return this profile with another way to put many weights into one bar, where there is no room for all} */
    public WeightProfile pooling(Pooling pooling) {
        return new WeightProfile(row.pooling(pooling));
    }

    /**
     * {@return this profile with the numbers at the ends of its vertical axis}
     *
     * @throws InvalidInputException if low is not below high
     */
    public WeightProfile range(double low, double high) {
        return new WeightProfile(row.range(low, high));
    }

    /** {@return the picture as lines of text: a label, a bar and a number each} */
    public String terminal(TerminalColors colors, int width) {
        return TerminalProfile.text(row, colors, width);
    }

    @Override
    Sheet sheet() {
        return new ProfileSheet(row).sheet();
    }
}
