package dev.heed.backend.vector.kernels;

/** Matrix products in plain Java; see {@link ScalarBlocks}. */
interface ScalarProduct extends Kernels {
    @Override
    default void product(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            int rows,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        ScalarBlocks.mine()
                .multiply(
                        false,
                        a,
                        aOffset,
                        aRowStride,
                        aDepthStride,
                        rows,
                        b,
                        bOffset,
                        bDepthStride,
                        depth,
                        c,
                        cOffset,
                        cRowStride);
    }

    @Override
    default void accumulate(
            float[] a,
            int aOffset,
            int aRowStride,
            int aDepthStride,
            int rows,
            float[] b,
            int bOffset,
            int bDepthStride,
            int depth,
            float[] c,
            int cOffset,
            int cRowStride) {
        ScalarBlocks.mine()
                .multiply(
                        true,
                        a,
                        aOffset,
                        aRowStride,
                        aDepthStride,
                        rows,
                        b,
                        bOffset,
                        bDepthStride,
                        depth,
                        c,
                        cOffset,
                        cRowStride);
    }
}
