package dev.heed.tensor;

/**
 * Copies of elements that are some distance apart in an array, with loops for each element type. The loops count one index of an
 * array: with two indices that both begin at a variable, they take twice as long. With a constant step they check the bounds once.
 */
final class Strides {
    private Strides() {}

    /** Copies contiguous elements; a copy of arrays of a known type does not compare their types. */
    static void row(Object from, int p, Object into, int q, int count) {
        if (from instanceof float[] floats) {
            System.arraycopy(floats, p, (float[]) into, q, count);
        } else if (from instanceof short[] shorts) {
            System.arraycopy(shorts, p, (short[]) into, q, count);
        } else {
            System.arraycopy(from, p, into, q, count);
        }
    }

    static void gather(Object from, int p, int step, Object into, int q, int count, int bytes) {
        switch (bytes) {
            case 1 -> gather((byte[]) from, p, step, (byte[]) into, q, count);
            case 2 -> gather((short[]) from, p, step, (short[]) into, q, count);
            case 4 -> gather((float[]) from, p, step, (float[]) into, q, count);
            default -> gather((double[]) from, p, step, (double[]) into, q, count);
        }
    }

    static void scatter(Object from, int p, Object into, int q, int step, int count, int bytes) {
        switch (bytes) {
            case 1 -> scatter((byte[]) from, p, (byte[]) into, q, step, count);
            case 2 -> scatter((short[]) from, p, (short[]) into, q, step, count);
            case 4 -> scatter((float[]) from, p, (float[]) into, q, step, count);
            default -> scatter((double[]) from, p, (double[]) into, q, step, count);
        }
    }

    private static void gather(byte[] from, int p, int step, byte[] into, int q, int count) {
        if (step == 2) {
            for (int i = q, end = q + count, d = p - 2 * q; i < end; i++) {
                into[i] = from[d + 2 * i];
            }
            return;
        }
        for (int i = q, end = q + count, j = p; i < end; i++, j += step) {
            into[i] = from[j];
        }
    }

    private static void gather(short[] from, int p, int step, short[] into, int q, int count) {
        if (step == 2) {
            for (int i = q, end = q + count, d = p - 2 * q; i < end; i++) {
                into[i] = from[d + 2 * i];
            }
            return;
        }
        for (int i = q, end = q + count, j = p; i < end; i++, j += step) {
            into[i] = from[j];
        }
    }

    private static void gather(float[] from, int p, int step, float[] into, int q, int count) {
        if (step == 2) {
            for (int i = q, end = q + count, d = p - 2 * q; i < end; i++) {
                into[i] = from[d + 2 * i];
            }
            return;
        }
        for (int i = q, end = q + count, j = p; i < end; i++, j += step) {
            into[i] = from[j];
        }
    }

    private static void gather(double[] from, int p, int step, double[] into, int q, int count) {
        if (step == 2) {
            for (int i = q, end = q + count, d = p - 2 * q; i < end; i++) {
                into[i] = from[d + 2 * i];
            }
            return;
        }
        for (int i = q, end = q + count, j = p; i < end; i++, j += step) {
            into[i] = from[j];
        }
    }

    private static void scatter(byte[] from, int p, byte[] into, int q, int step, int count) {
        for (int i = p, end = p + count, j = q; i < end; i++, j += step) {
            into[j] = from[i];
        }
    }

    private static void scatter(short[] from, int p, short[] into, int q, int step, int count) {
        for (int i = p, end = p + count, j = q; i < end; i++, j += step) {
            into[j] = from[i];
        }
    }

    private static void scatter(float[] from, int p, float[] into, int q, int step, int count) {
        for (int i = p, end = p + count, j = q; i < end; i++, j += step) {
            into[j] = from[i];
        }
    }

    private static void scatter(double[] from, int p, double[] into, int q, int step, int count) {
        for (int i = p, end = p + count, j = q; i < end; i++, j += step) {
            into[j] = from[i];
        }
    }
}
