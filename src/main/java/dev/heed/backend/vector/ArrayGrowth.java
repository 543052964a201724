package dev.heed.backend.vector;

/** Scratch arrays that grow to what was needed. Earlier contents are not kept. */
final class ArrayGrowth {
    private ArrayGrowth() {}

    /** {@return the array itself if it is long enough, or else a new one} */
    static float[] atLeast(float[] array, int length) {
        return array.length >= length ? array : new float[length];
    }

    /** {@return the array itself if it is long enough, or else a new one} */
    static double[] atLeast(double[] array, int length) {
        return array.length >= length ? array : new double[length];
    }
}
