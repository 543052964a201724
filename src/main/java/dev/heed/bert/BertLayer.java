package dev.heed.bert;

import dev.heed.LinearWeights;
import dev.heed.MultiHeadWeights;
import dev.heed.layer.RowNorm;

/**
 * The parameters of one encoder layer, in the order of their use. The weights are constants, so that backends pack them
 * only once.
 */
record BertLayer(
        MultiHeadWeights attention,
        RowNorm attentionNorm,
        LinearWeights intermediate,
        LinearWeights output,
        RowNorm outputNorm) {

    BertLayer {
        attention = attention.asConstant();
        intermediate = intermediate.asConstant();
        output = output.asConstant();
    }
}
