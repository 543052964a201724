package dev.heed.attribution;

import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import java.util.List;

/**
 * Attention rollout (Abnar and Zuidema 2020, section 3): the contribution of each input position to each output
 * position of a stack of self-attention layers with residual connections. The matrix of a layer mixes the attention
 * weights, averaged over heads ({@code W}), with the identity: {@code A = share W + (1 - share) I}. Its rows are scaled to
 * sum to 1. The rollout is the product of these matrices, with the first layer rightmost.
 */
public final class Rollout {
    /** The share of attention in the paper; the residual connection has the same share. */
    public static final double HALF = 0.5;

    private Rollout() {}

    /** {@return the rollout with equal shares for attention and residual connection} */
    public static Tensor of(List<Tensor> layers) {
        return of(layers, HALF);
    }

    /**
     * {@return the rollout, f64 {@code [length, length]}}
     *
     * @param layers the attention weights of each layer, the lowest layer first: {@code [numHeads, length, length]} or
     *     {@code [length, length]}
     * @param share the share of attention, from 0 to 1; the residual connection has the share {@code 1 - share}
     */
    public static Tensor of(List<Tensor> layers, double share) {
        if (layers.isEmpty() || !(share >= 0 && share <= 1)) {
            throw new InvalidInputException(
                    "A rollout needs layers and a share between 0 and 1",
                    "at least one layer and a share from 0 to 1",
                    layers.size() + " layers, share " + share,
                    "Rollout.of(layers)");
        }
        int length = Math.toIntExact(layers.getFirst().size(-1));
        double[][] product = new double[length][length];
        for (int i = 0; i < length; i++) {
            product[i][i] = 1;
        }
        for (Tensor layer : layers) {
            product = multiplied(mixed(layer, length, share), product);
        }
        Tensor rollout = Tensor.zeros(DType.F64, length, length);
        for (int i = 0; i < length; i++) {
            rollout.select(0, i).copyFrom(Tensor.of(product[i], length));
        }
        return rollout;
    }

    private static double[][] mixed(Tensor layer, int length, double share) {
        Tensor heads = layer.rank() == 2 ? layer.unsqueeze(0) : layer;
        if (heads.rank() != 3 || heads.size(1) != length || heads.size(2) != length) {
            throw new InvalidInputException(
                    "The layers do not fit each other",
                    "[numHeads, " + length + ", " + length + "]",
                    layer.toString(),
                    "select(0, b) selects one batch entry");
        }
        double[][] rows = new double[length][length];
        for (int i = 0; i < length; i++) {
            double sum = 0;
            for (int j = 0; j < length; j++) {
                for (long h = 0; h < heads.size(0); h++) {
                    rows[i][j] += share * heads.get(h, i, j) / heads.size(0);
                }
                rows[i][j] += i == j ? 1 - share : 0;
                sum += rows[i][j];
            }
            for (int j = 0; j < length && sum > 0; j++) { // a fully masked row without a residual share stays 0
                rows[i][j] /= sum;
            }
        }
        return rows;
    }

    private static double[][] multiplied(double[][] left, double[][] right) {
        double[][] product = new double[left.length][right.length];
        for (int i = 0; i < left.length; i++) {
            for (int k = 0; k < right.length; k++) {
                for (int j = 0; j < right.length; j++) {
                    product[i][j] += left[i][k] * right[k][j];
                }
            }
        }
        return product;
    }
}
