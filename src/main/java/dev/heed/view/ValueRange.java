package dev.heed.view;

import dev.heed.tensor.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A range of values, such as the range of a palette or an axis.
 *
 * @param low the lower end, finite
 * @param high the upper end, finite and above {@code low}
 */
record ValueRange(double low, double high) {
    ValueRange {
        if (!(low < high) || !Double.isFinite(low) || !Double.isFinite(high)) {
            throw new InvalidInputException(
                    "A range needs finite bounds in ascending order", "low < high", low + " to " + high, "range(0, 1)");
        }
    }

    /**
     * {@return the range from 0, or from the smallest finite value if it is negative, to the largest finite value} It
     * is 0 to 1 if there is no finite value except 0, and ends at 0 if all finite values are equal and negative.
     */
    static ValueRange of(List<Cells> maps) {
        double low = Double.POSITIVE_INFINITY;
        double high = Double.NEGATIVE_INFINITY;
        for (Cells cells : maps) {
            for (double value : cells.values()) {
                if (Double.isFinite(value)) {
                    low = Math.min(low, value);
                    high = Math.max(high, value);
                }
            }
        }
        if (low > high) {
            return new ValueRange(0, 1);
        }
        low = Math.min(low, low >= 0 ? 0 : low);
        if (low == high) {
            return low == 0 ? new ValueRange(0, 1) : new ValueRange(low, 0);
        }
        return new ValueRange(low, high);
    }

    /** {@return the relative position of a value: 0 at low, 1 at high} */
    double position(double value) {
        double extent = high - low;
        return Double.isFinite(extent) ? (value - low) / extent : (value / 2 - low / 2) / (high / 2 - low / 2);
    }

    /**
     * {@return round numbers within the range, usually two to six of them; if there are fewer than two, the ends of the
     * range}
     */
    List<Double> ticks() {
        return ticks(5);
    }

    /**
     * {@return round numbers within the range, at distances of 1 to 2.5 times {@code (high - low) / parts} from each
     * other; if there are fewer than two, the ends of the range}
     */
    List<Double> ticks(int parts) {
        double minStep = (high / 2 - low / 2) / (parts / 2.0);
        double power = StrictMath.pow(10, Math.floor(StrictMath.log10(minStep)));
        double mantissa = minStep / power;
        double step = power * (mantissa > 5 ? 10 : mantissa > 2 ? 5 : mantissa > 1 ? 2 : 1);
        List<Double> ticks = new ArrayList<>();
        double first = Math.ceil(low / step - 1e-9);
        double last = Math.floor(high / step + 1e-9);
        // If low and high agree in many leading digits, a double cannot count the steps.
        boolean countable = step > 0 && Double.isFinite(step) && Math.max(-first, last) < 1e9;
        if (countable) {
            for (double i = first; i <= last; i++) {
                ticks.add(i * step + 0.0); // + 0.0 turns -0.0 into 0.0
            }
        }
        return ticks.size() < 2 ? List.of(low, high) : ticks;
    }

    /** {@return a number with four significant digits, or its name if it is non-finite} */
    static String text(double value) {
        if (value == 0 || !Double.isFinite(value)) {
            return value == 0 ? "0" : String.valueOf(value);
        }
        double size = Math.abs(value);
        if (size >= 1e5 || size < 1e-4) {
            return String.format(Locale.ROOT, "%.3e", value);
        }
        int decimals = 3 - (int) Math.floor(StrictMath.log10(size));
        return String.format(Locale.ROOT, "%." + Math.max(0, decimals) + "f", value);
    }

    /** {@return the label of a tick: the result of {@link #text} without trailing zeros after the decimal point} */
    static String tickText(double value) {
        String text = text(value);
        int exponent = text.indexOf('e');
        String digits = exponent < 0 ? text : text.substring(0, exponent);
        String rest = exponent < 0 ? "" : text.substring(exponent);
        return (digits.indexOf('.') < 0 ? digits : digits.replaceAll("\\.?0+$", "")) + rest;
    }
}
