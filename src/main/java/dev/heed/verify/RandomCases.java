package dev.heed.verify;

import dev.heed.tensor.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * A source of random cases: shapes, types, layouts, masks and their combinations, score functions, options and outputs of all
 * operations. The same seed gives the same cases.
 *
 * <p>The words that decide which kernels a device compiles (operation, type, head dimensions, score function, options) are drawn
 * from one generator, and lengths, batch, masks and data from another. A source of few variants repeats the first and keeps
 * drawing the second, so that a backend that compiles its kernels spends its time on computing.
 */
public final class RandomCases {
    private static final int ANY = 0;

    /**
     * Limits of the number of multiplications of an attention; each case draws one. Most are small, because the number of cases
     * and not their size finds faults; the double reference computes the largest in milliseconds.
     */
    private static final List<Long> WORK = List.of(8_000L, 8_000L, 8_000L, 8_000L, 60_000L, 60_000L, 600_000L);

    private static final int[] DIMENSIONS = {
        1, 2, 3, 4, 7, 8, 12, 16, 17, 24, 31, 32, 33, 40, 48, 64, 65, 80, 96, 111, 128, 160
    };

    private final long seed;
    private final int variants;
    private final Random random;
    private long drawn;

    private RandomCases(long seed, int variants) {
        this.seed = seed;
        this.variants = variants;
        this.random = new Random(seed);
    }

    /** {@return a source without a limit of variants} */
    public static RandomCases of(long seed) {
        return new RandomCases(seed, ANY);
    }

    /**
     * {@return a source with a limit of variants}
     *
     * @param count the number of variants, at least 1
     */
    public static RandomCases ofVariants(long seed, int count) {
        if (count < 1) {
            throw new IllegalArgumentException("expected 1 or more variants, got " + count);
        }
        return new RandomCases(seed, count);
    }

    /** {@return the next case} */
    public Case next() {
        while (true) {
            long variant = variants == ANY ? drawn : random.nextInt(variants);
            drawn++;
            try {
                return Case.parse(words(new Random(31 * seed + variant)));
            } catch (InvalidInputException e) {
                // Some drawn options exclude each other, for example a gradient and i8 keys: another case is drawn.
                random.nextLong();
            }
        }
    }

    private String words(Random form) {
        String recipe = recipe(form);
        String words = problem(form);
        // The derivative of a saturated softcap or tanh, 1 - tanh^2, has no correct digits in any type.
        if (words.contains(" tanh")) {
            return words + recipe.replace(" values=huge", "").replace(" values=large", "");
        }
        return words + (words.contains(" softcap=") ? recipe.replace(" values=huge", " values=large") : recipe);
    }

    private String problem(Random form) {
        return switch (form.nextInt(20)) {
            case 0, 1 -> softmax(form);
            case 2, 3 -> linear(form);
            case 4 -> rotary(form);
            case 5, 6 -> multiHead(form);
            default -> attention(form, true);
        };
    }

    /** {@return the words that describe the data} */
    private String recipe(Random form) {
        String values = pick(random, "", "", "", "", " values=large", " values=huge", " values=constant");
        String layout = pick(random, "", " layout=bshd", " layout=padded", " layout=native", " layout=mixed");
        return " seed=" + random.nextInt(1, 1_000_000) + values + layout + (random.nextInt(3) == 0 ? " poison" : "")
                + (form.nextInt(8) == 0 ? " params=" + pick(form, "f64", "f32", "f16", "bf16") : "")
                + (form.nextInt(3) == 0 ? " backward" : "");
    }

    private String softmax(Random form) {
        String name = pick(form, "softmax ", "log-softmax ");
        String type = pick(form, " f32", " f32", " f64", " f16", " bf16");
        return switch (random.nextInt(3)) {
            case 0 -> name + sizes(size(5), size(6), size(40)) + " axis=" + (random.nextInt(3) - 3) + type;
            case 1 -> name + sizes(size(40), size(300)) + " axis=" + random.nextInt(2) + type;
            default -> name + sizes(1 + random.nextInt(3), size(5000)) + type;
        };
    }

    private String linear(Random form) {
        int in = dimension(form, 160);
        int out = dimension(form, 160);
        return "linear " + sizes(size(70), in, out) + (form.nextBoolean() ? " bias" : "")
                + pick(form, "", " relu", " gelu", " tanh") + pick(form, " f32", " f32", " f64", " f16", " bf16");
    }

    private String rotary(Random form) {
        int width = 2 * dimension(form, 64);
        int turned = form.nextBoolean() ? width : 2 * (1 + form.nextInt(width / 2));
        return "rotary " + sizes(size(3), size(4), size(40), width) + " dim=" + turned
                + (form.nextBoolean() ? " interleaved" : "") + (form.nextBoolean() ? " positions" : "")
                + pick(form, " f32", " f64", " f16", " bf16");
    }

    private String multiHead(Random form) {
        var biases = new StringBuilder();
        for (char letter : "qkvo".toCharArray()) {
            biases.append(form.nextBoolean() ? letter : "");
        }
        return "mha in=" + dimension(form, 48) + "x" + dimension(form, 48) + "x" + dimension(form, 48) + " out="
                + dimension(form, 48) + (biases.isEmpty() ? "" : " biases=" + biases) + " " + attention(form, false);
    }

    private String attention(Random form, boolean alone) {
        String type = pick(form, " f32", " f32", " f32", " f64", " f16", " bf16");
        int width = dimension(form, alone ? 160 : 24);
        int valueWidth = form.nextInt(3) == 0 ? dimension(form, alone ? 160 : 24) : width;
        String score = alone && form.nextInt(3) == 0 ? score(form, width) : "";
        boolean bytes = alone && form.nextInt(12) == 0;
        String modifiers = (chance(form, 5) ? " softcap=" + pick(form, "0.5", "5.0", "30.0", "1.0E-30", "1.0E30") : "")
                + (chance(form, 6) ? " alibi" : "")
                + (chance(form, 6) ? " sink" : "")
                + (chance(form, 8) ? " dropout=" + pick(form, "0.1", "0.5") : "")
                + (chance(form, 12) ? " tf32" : "");
        boolean biased = chance(form, 4);
        String outputs = (chance(form, 2) ? " lse" : "")
                + (chance(form, 6) ? " weights" : "")
                + (chance(form, 8) ? " topk=" + (1 + form.nextInt(6)) : "")
                + (chance(form, 8) ? " scores=" + pick(form, "score", "softcapped", "modified") : "");
        boolean rows = chance(form, 8);

        int batch = size(3);
        int kvHeads = size(4);
        int group = random.nextInt(12) == 0 ? 1 + random.nextInt(48) : size(4);
        int queries = random.nextInt(5) < 2 ? size(12) : size(140);
        int keys = random.nextInt(8) == 0 ? size(2500) : size(200);
        long most = WORK.get(random.nextInt(WORK.size()));
        while ((long) batch * kvHeads * group * queries * keys * (width + valueWidth) > most) {
            if (keys > 8 * queries || queries == 1 && keys > 1) {
                keys = (keys + 1) / 2;
            } else if (queries > 1) {
                queries = (queries + 1) / 2;
            } else if (group > 1) {
                group = (group + 1) / 2;
            } else {
                batch = 1;
                kvHeads = 1;
                keys = Math.min(keys, 64);
                break;
            }
        }
        int heads = kvHeads * group;
        String masks = random.nextInt(3) == 0 ? "" : " mask=" + mask(batch, heads, queries, keys, 2);
        return "q" + sizes(batch, heads, queries, width) + " kv" + sizes(kvHeads, keys)
                + (valueWidth == width ? "" : " dv" + valueWidth) + type + (bytes ? " kv=i8" : "")
                + score.replace("KEYS", String.valueOf(keys + size(5) - 1)) + modifiers
                + (biased ? " bias=" + broadcast(batch, heads, queries, keys) : "") + masks + outputs
                + (rows ? " rows=" + (1 + random.nextInt(Math.min(3, queries))) : "");
    }

    private static String score(Random form, int width) {
        String perHead = pick(form, "", "", ",heads");
        int hidden = 1 + form.nextInt(40);
        String other = form.nextInt(3) == 0 ? " dk" + (1 + form.nextInt(2 * width)) : "";
        return switch (form.nextInt(10)) {
            case 0 -> " score=dot";
            case 1 -> " score=scaled-dot:" + pick(form, "0.01", "0.25", "-2.0", "0.0", "1.0E-38");
            case 2 -> width == 1 ? "" : " score=cosine:5.0"; // the gradient of a cosine of one element is 0
            case 3 -> " score=general" + perHead.replace(',', ':') + other;
            case 4 -> " score=location:KEYS" + perHead;
            case 5 -> " score=additive:plain" + perHead;
            case 6 -> " score=additive:" + hidden + pick(form, "", ",bias") + perHead + other;
            case 7 -> " score=concat:" + hidden + perHead + other;
            case 8 -> " score=gaussian:" + pick(form, "0.2", "learned", "learned,heads");
            default -> " score=custom:manhattan";
        };
    }

    private String mask(int batch, int heads, int queries, int keys, int depth) {
        if (depth > 0 && random.nextInt(4) == 0) {
            String left = mask(batch, heads, queries, keys, depth - 1);
            String right = mask(batch, heads, queries, keys, depth - 1);
            return random.nextBoolean() ? left + "&" + right : "(" + left + "|" + right + ")";
        }
        return switch (random.nextInt(8)) {
            case 0 -> "causal:" + alignment(keys);
            case 1 -> "causal:br";
            case 2 -> "window:" + reach(keys) + "," + reach(keys) + ":" + alignment(keys);
            case 3 -> "keylens";
            case 4 -> "dense:" + broadcast(batch, heads, queries, keys);
            case 5 ->
                "spans:"
                        + sizes(
                                random.nextBoolean() ? batch : 1,
                                random.nextBoolean() ? heads : 1,
                                random.nextBoolean() ? queries : 1);
            case 6 -> {
                int height = size(32);
                int width = size(32);
                yield "blocks:" + sizes(height, width) + ":"
                        + sizes(
                                random.nextBoolean() ? batch : 1,
                                random.nextBoolean() ? heads : 1,
                                Math.ceilDiv(queries, height),
                                Math.ceilDiv(keys, width));
            }
            default -> "causal:tl";
        };
    }

    private String alignment(int keys) {
        return pick(random, "br", "tl", "+" + (random.nextInt(2 * keys) - keys / 2));
    }

    private String reach(int keys) {
        return random.nextInt(5) == 0 ? "inf" : String.valueOf(random.nextInt(keys + 1));
    }

    /** {@return a shape of rank 1 to 4 that broadcasts to the sizes} */
    private String broadcast(int... whole) {
        List<String> words = new ArrayList<>();
        for (int axis = random.nextInt(whole.length); axis < whole.length; axis++) {
            words.add(String.valueOf(random.nextInt(3) == 0 ? 1 : whole[axis]));
        }
        return String.join("x", words);
    }

    /** {@return a head dimension or the width of a layer, often one that vectors or tiles do not divide} */
    private static int dimension(Random form, int limit) {
        int found = limit + 1;
        while (found > limit) {
            found = form.nextInt(4) == 0 ? 1 + form.nextInt(limit) : DIMENSIONS[form.nextInt(DIMENSIONS.length)];
        }
        return found;
    }

    /** {@return a size from 1 to the limit; small sizes are more probable} */
    private int size(int limit) {
        return 1 + (int) (limit * Math.pow(random.nextDouble(), 1.5));
    }

    private static boolean chance(Random form, int oneIn) {
        return form.nextInt(oneIn) == 0;
    }

    private static String pick(Random from, String... words) {
        return words[from.nextInt(words.length)];
    }

    private static String sizes(int... sizes) {
        List<String> words = new ArrayList<>();
        for (int size : sizes) {
            words.add(String.format(Locale.ROOT, "%d", size));
        }
        return String.join("x", words);
    }
}
