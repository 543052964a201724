package dev.heed.backend.vector.kernels;

/** Scratch arrays that grow to what was needed. Earlier contents are not kept. */
public final class ArrayGrowth {
    private ArrayGrowth() {}

    /** {@return the array itself if it is long enough, or else a new one} */
    public static float[] atLeast(float[] array, int length) {
        return array.length >= length ? array : new float[length];
    }

    /** {@return the array itself if it is long enough, or else a new one} */
    public static double[] atLeast(double[] array, int length) {
        return array.length >= length ? array : new double[length];
    }
}
