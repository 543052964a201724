package dev.heed.cli.explain;

import dev.heed.bert.BertEncoder;
import dev.heed.bert.BertModel;
import dev.heed.bert.BertStrongest;
import dev.heed.cli.explain.Sentence.Word;
import dev.heed.tensor.Tensor;
import dev.heed.view.AttentionPage;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * The attention weights of a text in a model; for long texts, only the weights that are shown are computed. The model
 * runs once on a short text, and all weights are stored. On a longer text, the model runs once for each output: the
 * largest weights of every row, the rows of the chosen word, and one layer for the heat map.
 */
interface AttentionMaps {
    /** Maximum tokens of a short text. */
    int SHORT = 128;

    /** {@return the word that is shown if none is named} */
    Word mostInteresting();

    /** {@return the links from a word} */
    WordLinks from(Word word);

    /** {@return all weights of one layer, {@code [heads, tokens, tokens]}} */
    Tensor weights(int layer);

    /** {@return {@code page} with all layers added} */
    AttentionPage drawnOn(AttentionPage page);

    static AttentionMaps of(Sentence sentence, BertModel model, BertEncoder encoder) {
        return sentence.tokens().size() <= SHORT
                ? new Whole(sentence, allLayers(sentence, model, encoder))
                : new Parts(sentence, encoder, encoder.strongest(sentence.tokens(), AttentionPage.PER_ROW));
    }

    private static List<Tensor> allLayers(Sentence sentence, BertModel model, BertEncoder encoder) {
        int[] layers = IntStream.range(0, model.layers()).toArray();
        return List.copyOf(encoder.encode(sentence.tokens(), layers).weights().values());
    }

    /** All weights of a short text. */
    record Whole(Sentence sentence, List<Tensor> layers) implements AttentionMaps {
        @Override
        public Word mostInteresting() {
            return from(sentence.words().getFirst()).mostInteresting();
        }

        @Override
        public WordLinks from(Word word) {
            return new WordLinks(sentence, layers);
        }

        @Override
        public Tensor weights(int layer) {
            return layers.get(layer);
        }

        @Override
        public AttentionPage drawnOn(AttentionPage page) {
            AttentionPage drawn = page;
            for (Tensor weights : layers) {
                drawn = drawn.layer(weights);
            }
            return drawn;
        }
    }

    /** The largest weights of each row of a long text; other weights are computed when they are requested. */
    record Parts(Sentence sentence, BertEncoder encoder, List<BertStrongest> layers) implements AttentionMaps {

        /** {@inheritDoc} Only the largest weights of each row are considered. */
        @Override
        public Word mostInteresting() {
            Word best = sentence.words().getFirst();
            double strongest = -1;
            for (Word word : sentence.words()) {
                if (word.text().equals("it")) {
                    return word;
                }
                double strength = strongestLink(word) - (word.isPunctuation() ? 1 : 0);
                if (strength > strongest) {
                    best = word;
                    strongest = strength;
                }
            }
            return best;
        }

        private double strongestLink(Word word) {
            int[] wordOf = new int[sentence.tokens().size()];
            Arrays.fill(wordOf, -1); // special tokens belong to no word
            for (int i = 0; i < sentence.words().size(); i++) {
                Word other = sentence.words().get(i);
                if (!other.overlaps(word)) {
                    Arrays.fill(wordOf, other.first(), other.last() + 1, i);
                }
            }
            double strongest = 0;
            for (BertStrongest layer : layers) {
                for (int head = 0; head < layer.weights().size(0); head++) {
                    double[] sums = new double[sentence.words().size()];
                    for (int i = word.first(); i <= word.last(); i++) {
                        for (int k = 0; k < layer.weights().size(2); k++) {
                            int key = (int) layer.keys().get(head, i, k);
                            if (key >= 0 && wordOf[key] >= 0) {
                                sums[wordOf[key]] += layer.weights().get(head, i, k) / word.length();
                            }
                        }
                    }
                    strongest = Math.max(strongest, Arrays.stream(sums).max().orElse(0));
                }
            }
            return strongest;
        }

        @Override
        public WordLinks from(Word word) {
            long[] rows = LongStream.rangeClosed(word.first(), word.last()).toArray();
            return new WordLinks(sentence, encoder.rows(sentence.tokens(), rows), word.first());
        }

        @Override
        public Tensor weights(int layer) {
            return encoder.encode(sentence.tokens(), layer).weights(layer);
        }

        @Override
        public AttentionPage drawnOn(AttentionPage page) {
            AttentionPage drawn = page;
            for (int layer = 0; layer < layers.size(); layer++) {
                BertStrongest of = layers.get(layer);
                drawn = drawn.strongest("layer " + layer, of.weights(), of.keys());
            }
            return drawn;
        }
    }
}
