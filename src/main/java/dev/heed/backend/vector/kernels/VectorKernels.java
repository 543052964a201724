package dev.heed.backend.vector.kernels;

/** The loops of the Vector API. Each interface contains the loops of one kind. */
final class VectorKernels
        implements MicroKernel,
                NarrowKernel,
                Transpose,
                LinearTile,
                SoftmaxTile,
                ScoreTile,
                PanelTile,
                GradientTile,
                DecodeKernel,
                DotRow,
                SoftmaxRow,
                PairTile {}
