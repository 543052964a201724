package dev.heed.bert;

import dev.heed.MultiHeadWeights;

/** The parameters of one layer, in the order in which a row meets them. */
record BertLayer(
        MultiHeadWeights attention,
        LayerNorm attentionNorm,
        Linear intermediate,
        Linear output,
        LayerNorm outputNorm) {}
