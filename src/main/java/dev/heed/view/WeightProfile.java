package dev.heed.view;

import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;

/**
 * A bar chart of the weights of one row: the attention of one query to its keys. Immutable; every method returns a new
 * profile.
 *
 * <p>More than {@value #MAX_BARS} weights are pooled, with a caption.
 */
public final class WeightProfile extends Picture {
    /** Maximum bars that are drawn; more weights are pooled. */
    public static final int MAX_BARS = 512;

    private final HeatMap row;

    private WeightProfile(HeatMap row) {
        this.row = row;
    }

    /**
     * {@return the profile of a tensor with one axis, whose elements are copied}
     *
     * @throws InvalidInputException if the tensor does not have one axis
     */
    public static WeightProfile of(Tensor weights) {
        if (weights.rank() != 1) {
            throw new InvalidInputException(
                    "A profile needs a tensor with one axis",
                    "[columns]",
                    weights.toString(),
                    "weights.select(0, batch).select(0, head).select(0, row) is one row");
        }
        return new WeightProfile(HeatMap.of(weights.unsqueeze(0)));
    }

    /**
     * {@return the profile of an array, whose elements are copied}
     *
     * @throws InvalidInputException if the array is empty
     */
    public static WeightProfile of(double... weights) {
        return new WeightProfile(HeatMap.of(new double[][] {weights}));
    }

    /**
     * {@return this profile with a label for each weight}
     *
     * @throws InvalidInputException if the counts of labels and weights differ
     */
    public WeightProfile labels(List<String> labels) {
        return new WeightProfile(row.columns(labels));
    }

    /** {@return this profile with a title} */
    public WeightProfile title(String title) {
        return new WeightProfile(row.title(title));
    }

    /**
     * {@return this profile with names for the axis of the bars and the axis of their height, such as "key" and
     * "weight"}
     */
    public WeightProfile axes(String bars, String height) {
        return new WeightProfile(row.axes(height, bars));
    }

    /** {@return this profile with the background and ink of a theme} */
    public WeightProfile theme(Theme theme) {
        return new WeightProfile(row.theme(theme));
    }

    /** {@return this profile with a way to pool several weights into one bar, used if there are more weights than bars} */
    public WeightProfile pooling(Pooling pooling) {
        return new WeightProfile(row.pooling(pooling));
    }

    /**
     * {@return this profile with a vertical axis from {@code low} to {@code high}}
     *
     * @throws InvalidInputException if low is not below high
     */
    public WeightProfile range(double low, double high) {
        return new WeightProfile(row.range(low, high));
    }

    /** {@return the picture as lines of text: a label, a bar and a number per weight} */
    public String terminal(TerminalColors colors, int width) {
        return TerminalProfile.text(row, colors, width);
    }

    @Override
    Sheet sheet() {
        return new ProfileSheet(row).sheet();
    }
}
