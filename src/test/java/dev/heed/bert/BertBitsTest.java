package dev.heed.bert;

import static dev.heed.TensorAssertions.assertSameBits;

import dev.heed.AttentionBackend;
import dev.heed.backend.reference.ReferenceBackend;
import dev.heed.backend.vector.ScalarBackend;
import dev.heed.backend.vector.VectorBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that the bits of an encoding do not depend on the other sentences of the batch. */
@Tag("slow")
class BertBitsTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 7})
    void aSentenceHasTheSameBitsAloneAndInAnyBatch(int threads) {
        try (AttentionBackend vector = new VectorBackend(threads)) {
            boolean ready = vector.notReadyReasons().isEmpty();
            try (AttentionBackend backend = ready ? vector : new ScalarBackend(threads)) {
                requireSameBits(backend, 40);
            }
        }
    }

    @Test
    void theReferenceToo() {
        requireSameBits(new ReferenceBackend(), 4);
    }

    private static void requireSameBits(AttentionBackend backend, int longest) {
        var encoder = new BertEncoder(Loaded.MODEL, backend);
        List<List<BertToken>> sentences = new ArrayList<>();
        for (int length = 1; length <= longest; length++) {
            sentences.add(sentence(length, length));
        }
        List<BertEncoding> alone =
                sentences.stream().map(sentence -> encoder.encode(sentence)).toList();
        List<List<BertToken>> shuffled = new ArrayList<>();
        for (int copy = 0; copy < 2; copy++) { // neighbours of equal length, shorter and longer ones
            for (List<BertToken> sentence : sentences) {
                shuffled.add(copy == 0 ? sentence : sentence(sentence.size(), 100 + sentence.size()));
            }
        }
        requireSame(alone, encoder.encodeAll(shuffled));
        for (int neighbour : new int[] {1, longest}) {
            for (int i = 0; i < longest; i += 3) {
                List<BertEncoding> pair = encoder.encodeAll(List.of(sentences.get(i), sentence(neighbour, 7)));
                requireSame(List.of(alone.get(i)), pair);
            }
        }
    }

    private static void requireSame(List<BertEncoding> alone, List<BertEncoding> together) {
        for (int i = 0; i < alone.size(); i++) {
            assertSameBits(alone.get(i).hidden(), together.get(i).hidden());
        }
    }

    private static List<BertToken> sentence(int length, long seed) {
        var random = new Random(seed);
        List<BertToken> tokens = new ArrayList<>();
        for (int i = 0; i < length; i++) {
            tokens.add(new BertToken("x", random.nextInt(Loaded.MODEL.vocabularySize()), 0, false));
        }
        return tokens;
    }
}
