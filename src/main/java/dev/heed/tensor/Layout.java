package dev.heed.tensor;

/**
 * The order of a tensor's axes: B batch, H heads, S sequence, D headDim. Heed computes with {@link #BHSD}; a tensor in
 * another layout becomes a {@link #BHSD} view without a copy.
 */
public enum Layout {
    /** {@code [batch, heads, sequence, headDim]}: PyTorch, ONNX 4-D, cuDNN. */
    BHSD,
    /** {@code [batch, sequence, heads, headDim]}: flash-attn, JAX (BTNH), xFormers (BMHK). */
    BSHD;

    /**
     * {@return a {@code [batch, heads, sequence, headDim]} view of a rank-4 tensor in this layout}
     *
     * @throws InvalidInputException if the rank is not 4
     */
    public Tensor toBhsd(Tensor tensor) {
        if (tensor.rank() != 4) {
            throw new InvalidInputException(
                    "A tensor in layout " + this + " must have four axes",
                    "rank 4",
                    tensor.toString(),
                    "Layout.packed(tensor, numHeads) splits [batch, sequence, heads * width]");
        }
        return this == BHSD ? tensor : tensor.transpose(1, 2);
    }

    /**
     * {@return a {@code [batch, heads, sequence, headDim]} view of a packed {@code [batch, sequence, heads * headDim]}
     * tensor}
     *
     * @param tensor the packed tensor
     * @param numHeads the number of heads in the last axis
     * @throws InvalidInputException if the rank is not 3 or the heads do not divide the last axis
     */
    public static Tensor packed(Tensor tensor, long numHeads) {
        if (tensor.rank() != 3) {
            throw new InvalidInputException(
                    "A packed tensor must have three axes",
                    "[batch, sequence, heads * width]",
                    tensor.toString(),
                    "use Layout.BHSD or Layout.BSHD for four axes");
        }
        return tensor.split(2, numHeads).transpose(1, 2);
    }
}
