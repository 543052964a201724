package dev.heed.backend.vector.kernels;

/**
 * {@link Tanh} in plain Java. It is a separate class because the vector types of {@link Tanh} must not be loaded if the
 * Vector API is absent.
 */
final class ScalarTanh {
    private ScalarTanh() {}

    static float of(float argument) {
        float x = argument > Tanh.LAST ? Tanh.LAST : argument;
        x = x < -Tanh.LAST ? -Tanh.LAST : x;
        float z = x * x;
        float p = Math.fma(z, Tanh.P6, Tanh.P5);
        float q = Math.fma(z, Tanh.Q3, Tanh.Q2);
        p = Math.fma(p, z, Tanh.P4);
        q = Math.fma(q, z, Tanh.Q1);
        p = Math.fma(p, z, Tanh.P3);
        q = Math.fma(q, z, 1f);
        p = Math.fma(p, z, Tanh.P2);
        p = Math.fma(p, z, Tanh.P1);
        p = Math.fma(p, z, 1f);
        return p * x / q;
    }
}
