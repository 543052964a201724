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
        float p = Lanes.fma(z, Tanh.P6, Tanh.P5);
        float q = Lanes.fma(z, Tanh.Q3, Tanh.Q2);
        p = Lanes.fma(p, z, Tanh.P4);
        q = Lanes.fma(q, z, Tanh.Q1);
        p = Lanes.fma(p, z, Tanh.P3);
        q = Lanes.fma(q, z, 1f);
        p = Lanes.fma(p, z, Tanh.P2);
        p = Lanes.fma(p, z, Tanh.P1);
        p = Lanes.fma(p, z, 1f);
        return p * x / q;
    }
}
