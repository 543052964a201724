package dev.heed.cli.explain;

import dev.heed.cli.explain.Sentence.Word;
import dev.heed.tensor.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Attention between words, computed from attention between tokens. The attention from a word is the mean over its
 * pieces; the attention to a word is the sum over its pieces. Every row still sums to 1 (Clark et al. 2019, section
 * 4.1).
 *
 * <p>Links leave out the attention to special tokens and to the word itself: a head that finds no matching token
 * attends to special tokens (Clark et al. 2019, section 3.2).
 */
final class WordLinks {
    private final Sentence sentence;
    private final List<Tensor> layers;
    private final int firstRow;

    /**
     * The attention from one word to another in one head.
     *
     * @param layer the layer, from 0
     * @param head the head, from 0
     * @param target the attended word
     * @param weight the attention, from 0 to 1
     */
    record Link(int layer, int head, Word target, double weight) {}

    /**
     * The attention from a word in one layer, as the mean over its heads; the three shares sum to 1.
     *
     * @param layer the layer, from 0
     * @param onWords the share of attention to other words
     * @param onItself the share of attention to the word itself
     * @param onSpecial the share of attention to special tokens
     * @param targets the other words, most attended first
     */
    record WordFocus(int layer, double onWords, double onItself, double onSpecial, List<Target> targets) {}

    /** A word and the attention to it. */
    record Target(Word word, double weight) {}

    /** Creates the links of a sentence from the weights {@code [heads, tokens, tokens]} of each layer. */
    WordLinks(Sentence sentence, List<Tensor> layers) {
        this(sentence, layers, 0);
    }

    /**
     * Creates the links of some words of a sentence.
     *
     * @param layers the weights {@code [heads, rows, tokens]} of each layer
     * @param firstRow the index of the token to which the first row belongs; further rows belong to the tokens after it
     */
    WordLinks(Sentence sentence, List<Tensor> layers, int firstRow) {
        this.sentence = sentence;
        this.layers = List.copyOf(layers);
        this.firstRow = firstRow;
    }

    int layers() {
        return layers.size();
    }

    int heads() {
        return (int) layers.getFirst().size(0);
    }

    double weight(int layer, int head, Word from, Word to) {
        double sum = 0;
        for (int i = from.first(); i <= from.last(); i++) {
            for (int j = to.first(); j <= to.last(); j++) {
                sum += layers.get(layer).get(head, i - firstRow, j);
            }
        }
        return sum / from.length();
    }

    /**
     * {@return all links from a word to others, the strongest first; equal links are ordered by layer, head and
     * position}
     */
    List<Link> from(Word word) {
        List<Link> links = new ArrayList<>();
        for (int layer = 0; layer < layers.size(); layer++) {
            for (int head = 0; head < heads(); head++) {
                for (Word target : others(word)) {
                    links.add(new Link(layer, head, target, weight(layer, head, word, target)));
                }
            }
        }
        links.sort(Comparator.comparingDouble(Link::weight).reversed()); // stable
        return links;
    }

    WordFocus wordFocus(int layer, Word word) {
        List<Target> targets = new ArrayList<>();
        for (Word target : others(word)) {
            targets.add(new Target(target, meanWeight(layer, word, target)));
        }
        targets.sort(Comparator.comparingDouble(Target::weight).reversed());
        double onWords = targets.stream().mapToDouble(Target::weight).sum();
        double onItself = meanWeight(layer, word, word);
        double all = meanWeight(layer, word, new Word("", 0, sentence.tokens().size() - 1));
        return new WordFocus(layer, onWords, onItself, all - onWords - onItself, targets);
    }

    private double meanWeight(int layer, Word from, Word to) {
        double sum = 0;
        for (int head = 0; head < heads(); head++) {
            sum += weight(layer, head, from, to);
        }
        return sum / heads();
    }

    private List<Word> others(Word word) {
        return sentence.words().stream().filter(other -> !other.overlaps(word)).toList();
    }

    /**
     * {@return "it" if it occurs, otherwise the word with the strongest single link to another word; words are
     * preferred to punctuation}
     */
    Word mostInteresting() {
        Word best = sentence.words().getFirst();
        double strongest = -1;
        for (Word word : sentence.words()) {
            if (word.text().equals("it")) {
                return word;
            }
            List<Link> links = from(word);
            double strength = links.isEmpty() ? 0 : links.getFirst().weight();
            strength -= word.isPunctuation() ? 1 : 0; // weights are at most 1
            if (strength > strongest) {
                best = word;
                strongest = strength;
            }
        }
        return best;
    }

    /**
     * {@return the layer in which a word attends most to other words in one head, or in the mean over all heads if
     * {@code head} is -1}
     */
    int busiestLayer(Word word, int head) {
        int best = 0;
        double most = -1;
        for (int layer = 0; layer < layers.size(); layer++) {
            double mass = 0;
            for (Word target : others(word)) {
                mass += head < 0 ? meanWeight(layer, word, target) : weight(layer, head, word, target);
            }
            if (mass > most) {
                best = layer;
                most = mass;
            }
        }
        return best;
    }

    /**
     * {@return one head of {@code weights [heads, tokens, tokens]}, or the mean over all heads if {@code head} is -1}
     */
    static double[][] matrix(Tensor weights, int head) {
        int size = Math.toIntExact(weights.size(1));
        double[][] matrix = new double[size][size];
        int first = Math.max(head, 0);
        int last = head < 0 ? (int) weights.size(0) - 1 : head;
        for (int i = 0; i < size; i++) {
            for (int j = 0; j < size; j++) {
                for (int h = first; h <= last; h++) {
                    matrix[i][j] += weights.get(h, i, j) / (last - first + 1);
                }
            }
        }
        return matrix;
    }
}
