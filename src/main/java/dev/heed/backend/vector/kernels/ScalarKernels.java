package dev.heed.backend.vector.kernels;

/** The loops in plain Java. Each interface contains the loops of one kind. */
final class ScalarKernels implements ScalarProduct, ScalarTile, ScalarRow, ScalarPairs {}
