package dev.heed.opencl;

import dev.heed.Attention;
import dev.heed.tensor.Tensor;

/** A program that computes by the automatic choice, or by {@code heed.backend}, for a JVM of its own. */
public final class SaySoftmax {
    private SaySoftmax() {}

    public static void main(String[] args) {
        System.out.println("SOFTMAX " + Attention.softmax(Tensor.of(new float[6], 2, 3), 1));
    }
}
