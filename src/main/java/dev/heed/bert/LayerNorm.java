package dev.heed.bert;

/**
 * Layer normalisation (Ba et al. 2016): {@code (x - mean) / sqrt(variance + epsilon) * weight + bias}, row by row, with
 * the variance divided by the width.
 *
 * @param weight {@code [width]}
 * @param bias {@code [width]}
 * @param epsilon keeps rows of equal elements finite
 */
record LayerNorm(float[] weight, float[] bias, double epsilon) {

    /** Normalises every row of {@code x} where it lies. Mean and variance are double. */
    void apply(float[] x) {
        int width = weight.length;
        for (int from = 0; from < x.length; from += width) {
            double sum = 0;
            for (int j = 0; j < width; j++) {
                sum += x[from + j];
            }
            double mean = sum / width;
            double squares = 0;
            for (int j = 0; j < width; j++) {
                double centred = x[from + j] - mean;
                squares += centred * centred;
            }
            double factor = 1 / Math.sqrt(squares / width + epsilon);
            for (int j = 0; j < width; j++) {
                x[from + j] = (float) ((x[from + j] - mean) * factor * weight[j] + bias[j]);
            }
        }
    }
}
