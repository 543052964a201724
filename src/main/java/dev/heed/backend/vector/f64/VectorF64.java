package dev.heed.backend.vector.f64;

/** The f64 loops of the Vector API. */
final class VectorF64 implements F64Kernel, F64Softmax, F64FiniteRows {}
