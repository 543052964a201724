package dev.heed.view;

import dev.heed.tensor.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Which numbers the ends of a palette stand for.
 *
 * @param low the number of the weakest colour
 * @param high the number of the strongest
 */
record ValueRange(double low, double high) {
    ValueRange {
        if (!(low < high) || !Double.isFinite(low) || !Double.isFinite(high)) {
            throw new InvalidInputException(
                    "A range runs upwards between finite numbers", "low < high", low + " to " + high, "range(0, 1)");
        }
    }

    /** {@return from 0 (from the smallest, where one is negative) to the largest finite number} */
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

    /** {@return 0 at low to 1 at high} */
    double position(double value) {
        double extent = high - low;
        return Double.isFinite(extent) ? (value - low) / extent : (value / 2 - low / 2) / (high / 2 - low / 2);
    }

    /** {@return round numbers within the range, three to seven of them where doubles allow it} */
    List<Double> ticks() {
        return ticks(5);
    }

    /** {@return round numbers within the range, no farther apart than twice or thrice what so many parts would be} */
    List<Double> ticks(int parts) {
        double rough = (high / 2 - low / 2) / (parts / 2.0);
        double power = StrictMath.pow(10, Math.floor(StrictMath.log10(rough)));
        double lead = rough / power;
        double step = power * (lead > 5 ? 10 : lead > 2 ? 5 : lead > 1 ? 2 : 1);
        List<Double> ticks = new ArrayList<>();
        double first = Math.ceil(low / step - 1e-9);
        double last = Math.floor(high / step + 1e-9);
        // Where low and high share their first digits, counting in steps is beyond a double.
        boolean countable = step > 0 && Double.isFinite(step) && Math.max(-first, last) < 1e9;
        if (countable) {
            for (double i = first; i <= last; i++) {
                ticks.add(i * step + 0.0); // + 0.0 turns -0.0 into 0.0
            }
        }
        return ticks.size() < 2 ? List.of(low, high) : ticks;
    }

    /** {@return a number with four significant digits, or its name if it is none} */
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

    /** {@return the shortest text of a tick} */
    static String tickText(double value) {
        String text = text(value);
        int exponent = text.indexOf('e');
        String digits = exponent < 0 ? text : text.substring(0, exponent);
        String rest = exponent < 0 ? "" : text.substring(exponent);
        return (digits.indexOf('.') < 0 ? digits : digits.replaceAll("\\.?0+$", "")) + rest;
    }
}
