package dev.heed.opencl;

import dev.heed.Attention;
import dev.heed.tensor.Tensor;

/** A program that computes a softmax by the automatic choice or {@code heed.backend}, for tests in a separate JVM. */
public final class SaySoftmax {
    private SaySoftmax() {}

    public static void main(String[] args) {
        System.out.println("SOFTMAX " + Attention.softmax(Tensor.of(new float[6], 2, 3), 1));
    }
}
