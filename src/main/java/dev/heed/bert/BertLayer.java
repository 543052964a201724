package dev.heed.bert;

import dev.heed.LinearWeights;
import dev.heed.MultiHeadWeights;

/** The parameters of one layer, in the order in which a row meets them. They never change, so backends pack them once. */
record BertLayer(
        MultiHeadWeights attention,
        LayerNorm attentionNorm,
        LinearWeights intermediate,
        LinearWeights output,
        LayerNorm outputNorm) {

    BertLayer {
        attention = attention.asConstant();
        intermediate = intermediate.asConstant();
        output = output.asConstant();
    }
}
