package dev.heed.backend.vector.kernels;

/** Growth of scratch arrays to a required length; a new array does not keep the old contents. */
public final class ArrayGrowth {
    private ArrayGrowth() {}

    /** {@return the given array if it is long enough, else a new one} */
    public static float[] atLeast(float[] array, int length) {
        return array.length >= length ? array : new float[length];
    }

    /** {@return the given array if it is long enough, else a new one} */
    public static double[] atLeast(double[] array, int length) {
        return array.length >= length ? array : new double[length];
    }
}
