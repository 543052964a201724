package dev.heed.mechanism;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;

/**
 * A glimpse sensor for visual hard attention: square windows around one point of an image (Mnih et al. 2014, section
 * 3.1). The first window has the resolution of the image. Each further window is twice as wide as the one before and
 * averaged down to the same size. Pixels beyond the border are 0. The glimpse is differentiable with respect to the
 * image. The centres are integers and have no gradient, so the model that selects them is trained with
 * {@link ScoreFunctionGradient}.
 */
public final class Glimpse {
    private final int size;
    private final int scales;

    /**
     * Creates the sensor.
     *
     * @param size side length of each window in the result, in pixels
     * @param scales number of windows; the last is {@code size * 2^(scales - 1)} pixels wide in the image
     */
    public Glimpse(int size, int scales) {
        if (size < 1 || scales < 1 || scales > 24 || (long) size << (scales - 1) > Integer.MAX_VALUE) {
            throw new InvalidInputException(
                    "The size or the scales of the glimpse do not fit",
                    "a size of 1 or more and 1 to 24 scales",
                    "size " + size + ", scales " + scales,
                    "new Glimpse(8, 3)");
        }
        this.size = size;
        this.scales = scales;
    }

    /**
     * {@return the windows, {@code [batch, scales, size, size, channels]}, in the type of the image}
     *
     * @param image {@code [batch, height, width, channels]}
     * @param centers i64 {@code [batch, 2]}: the row and the column of the centre, in pixels from 0. The centre may be
     *     outside of the image. A window that is {@code n} pixels wide in the image begins {@code n / 2} pixels
     *     (rounded down) above and to the left of the centre.
     */
    public Tensor crop(Tensor image, Tensor centers) {
        requireFits(image, centers);
        Tensor glimpse = Tensor.zeros(image.type(), image.size(0), scales, size, size, image.size(3));
        walk(image, centers, (b, scale, y, x, row, column, share) -> {
            for (long c = 0; c < image.size(3); c++) {
                long at = glimpse.position(b, scale, y, x, c);
                glimpse.put(at, glimpse.at(at) + share * image.get(b, row, column, c));
            }
        });
        return glimpse;
    }

    /**
     * {@return the gradient with respect to the image}
     *
     * @param glimpseGradient the gradient with respect to the windows
     */
    public Tensor backward(Tensor image, Tensor centers, Tensor glimpseGradient) {
        requireFits(image, centers);
        if (!glimpseGradient.hasShape(image.size(0), scales, size, size, image.size(3))) {
            throw new InvalidInputException(
                    "The gradient does not fit the glimpse",
                    "[" + image.size(0) + ", " + scales + ", " + size + ", " + size + ", " + image.size(3) + "]",
                    glimpseGradient.toString(),
                    "the gradient must have the shape of the result of crop");
        }
        Tensor gradient = Tensor.zeros(image.type(), image.shape());
        walk(image, centers, (b, scale, y, x, row, column, share) -> {
            for (long c = 0; c < image.size(3); c++) {
                double there = gradient.get(b, row, column, c);
                double more = share * glimpseGradient.get(new long[] {b, scale, y, x, c});
                gradient.set(there + more, b, row, column, c);
            }
        });
        return gradient;
    }

    private interface Pixel {
        void visit(long b, long scale, long y, long x, long row, long column, double share);
    }

    /**
     * Visits every image pixel of every window, with the position of the result pixel whose average includes it, and
     * with the weight of the image pixel in this average.
     */
    private void walk(Tensor image, Tensor centers, Pixel pixel) {
        for (long b = 0; b < image.size(0); b++) {
            for (int scale = 0; scale < scales; scale++) {
                long step = 1L << scale;
                long top = (long) centers.get(b, 0) - size * step / 2;
                long left = (long) centers.get(b, 1) - size * step / 2;
                long bottom = Math.min(image.size(1), top + size * step);
                long right = Math.min(image.size(2), left + size * step);
                for (long row = Math.max(0, top); row < bottom; row++) {
                    for (long column = Math.max(0, left); column < right; column++) {
                        long y = (row - top) / step;
                        long x = (column - left) / step;
                        pixel.visit(b, scale, y, x, row, column, 1.0 / (step * step));
                    }
                }
            }
        }
    }

    private static void requireFits(Tensor image, Tensor centers) {
        boolean fits = image.rank() == 4
                && image.type().isFloating()
                && centers.type() == DType.I64
                && centers.hasShape(image.size(0), 2);
        if (!fits) {
            throw new InvalidInputException(
                    "The image and the centres do not fit each other",
                    "floating-point [batch, height, width, channels] and i64 [batch, 2]",
                    "image " + image + ", centers " + centers,
                    "centres are a row and a column for each image");
        }
        image.requireAccessible("image");
        centers.requireAccessible("centers");
        for (long n = 0; n < centers.size(0); n++) {
            if (Math.abs(centers.get(n, 0)) > 1L << 40 || Math.abs(centers.get(n, 1)) > 1L << 40) {
                throw new InvalidInputException(
                        "A centre is too far from the image",
                        "rows and columns up to 2^40",
                        centers.toString(),
                        "count pixels from 0");
            }
        }
    }
}
