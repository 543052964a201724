package dev.heed.verify;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The test cases that every backend must pass. They cover sizes just below, at and above vector widths and tile sizes,
 * all options alone and in combinations, and all placements and types. They also cover rows without attended keys,
 * decode, softmax, multi-head attention, linear layers and rotary embeddings.
 */
public final class CaseGrid {
    private static final int[] WIDTHS = {1, 2, 3, 7, 8, 16, 21, 32, 33, 40, 59, 64, 80, 96, 111, 128, 192, 256, 512};
    private static final int[][] LENGTHS = {
        {1, 1},
        {1, 2},
        {2, 1},
        {3, 5},
        {5, 3},
        {7, 16},
        {15, 17},
        {16, 16},
        {17, 31},
        {31, 33},
        {33, 64},
        {63, 65},
        {64, 63},
        {65, 97},
        {97, 128},
        {128, 128},
        {129, 257},
        {143, 37},
        {200, 129},
        {255, 256},
        {1, 1025},
        {3, 587},
    };
    private static final String[] MASKS = {
        "causal:br",
        "causal:tl",
        "causal:+3",
        "causal:+-2",
        "window:3,0:br",
        "window:0,0:tl",
        "window:2,5:tl",
        "window:inf,1:br",
        "keylens",
        "dense:1x1x%1$dx%2$d",
        "dense:2x1x1x%2$d",
        "dense:2x4x%1$dx%2$d",
        "causal:br&keylens",
        "(window:1,1:tl|dense:1x1x%1$dx%2$d)",
        "causal:+[0,-1]&window:4,0:br",
    };
    private static final String[] MODIFIERS = {
        "softcap=30.0",
        "softcap=0.5",
        "score=dot",
        "score=scaled-dot:0.01",
        "score=scaled-dot:-2.0",
        "bias=1x1x%1$dx%2$d",
        "bias=2x4x%1$dx%2$d",
        "bias=2x1x1x%2$d",
        "bias=4x%1$dx1",
        "bias=%2$d",
        "alibi",
        "sink",
        "softcap=5.0 bias=1x4x%1$dx%2$d alibi mask=causal:br sink",
    };
    private static final String[] SCORES = {
        "score=cosine:5.0",
        "score=cosine:learned,2x4x%1$d",
        "score=cosine:learned,4x1",
        "seed=2 score=general",
        "dk24 score=general:heads",
        "score=location:%3$d",
        "score=location:%2$d,heads",
        "score=additive:plain",
        "score=additive:plain,heads",
        "score=additive:24",
        "dk31 score=additive:37,bias",
        "score=additive:16,bias,heads",
        "dk13 score=concat:32",
        "score=concat:20,heads",
        "score=gaussian:0.2",
        "seed=2 score=gaussian:learned",
        "score=gaussian:learned,heads",
        "score=custom:manhattan",
    };
    private static final String[] OUTPUTS = {
        "lse",
        "weights",
        "rows=1",
        "rows=3",
        "topk=1",
        "topk=5",
        "scores=score",
        "scores=softcapped softcap=3.0",
        "scores=modified bias=1x1x1x%2$d mask=causal:br",
        "lse weights rows=2 topk=3 sink mask=causal:br",
    };
    private static final String[] BYTES = {
        "",
        "score=dot",
        "mask=keylens poison",
        "weights",
        "rows=1",
        "topk=3 mask=window:9,2:br",
        "scores=modified",
        "dropout=0.3",
        "softcap=5.0 alibi sink mask=causal:br",
        "values=huge",
    };

    private final boolean full;
    private final Map<String, List<Case>> groups = new LinkedHashMap<>();

    private CaseGrid(boolean full) {
        this.full = full;
        widths();
        lengths();
        heads();
        masks();
        modifiers();
        scores();
        scales();
        outputs();
        values();
        placements();
        types();
        partial();
        tf32();
        bytes();
        dropout();
        backward();
        decode();
        softmax();
        multiHead();
        linear();
        rotary();
        extremes();
    }

    /** {@return all cases, by group} */
    public static Map<String, List<Case>> full() {
        return new CaseGrid(true).groups;
    }

    /** {@return the cases of the quick grid, by group; checking them takes seconds on any backend} */
    public static Map<String, List<Case>> quick() {
        return new CaseGrid(false).groups;
    }

    private void add(String group, String caseString, Object... sizes) {
        groups.computeIfAbsent(group, name -> new ArrayList<>())
                .add(Case.parse(String.format(Locale.ROOT, caseString, sizes)));
    }

    /**
     * {@return whether the element at {@code index} of a long list is left out: the quick grid uses only every third
     * element}
     */
    private boolean passedOver(int index) {
        return !full && index % 3 != 0;
    }

    private void widths() {
        for (int i = 0; i < WIDTHS.length; i++) {
            if (!passedOver(i)) {
                add("widths", "q1x2x19x%d kv2x37 f32 lse", WIDTHS[i]);
                add("widths", "q1x2x19x%d kv2x37 f32 lse mask=causal:br backward", WIDTHS[i]);
                add("widths", "q1x1x17x24 kv1x33 dv%d f32 backward", WIDTHS[i]);
            }
        }
    }

    private void lengths() {
        for (int i = 0; i < LENGTHS.length; i++) {
            if (!passedOver(i)) {
                add("lengths", "q2x2x%dx32 kv2x%d f32 lse", LENGTHS[i][0], LENGTHS[i][1]);
                add("lengths", "q1x2x%dx20 kv2x%d f32 lse mask=causal:br backward", LENGTHS[i][0], LENGTHS[i][1]);
                add("lengths", "q1x2x%dx20 kv2x%d f32 lse mask=causal:tl", LENGTHS[i][0], LENGTHS[i][1]);
            }
        }
        if (full) {
            add("lengths", "q1x2x512x64 kv2x512 f32 lse mask=causal:br backward");
            add("lengths", "q1x1x1024x64 kv1x1024 f32 lse");
            add("lengths", "q1x1x300x64 kv1x2048 f32 lse mask=window:100,20:br");
            add("lengths", "q1x2x300x64 kv1x300 f32 lse mask=causal:br bias=1x2x300x300 softcap=5.0 poison");
            add("lengths", "q1x4x1x16 kv2x5000 f32 lse mask=window:100,0:br");
            add("lengths", "q1x4x1x128 kv1x9000 f32 lse mask=window:3000,0:br poison");
        }
    }

    private void heads() {
        int[][] heads = {{1, 1}, {3, 3}, {4, 1}, {6, 2}, {9, 3}, {32, 8}};
        for (int[] h : heads) {
            add("heads", "q2x%dx13x16 kv%dx21 f32 lse mask=causal:br backward", h[0], h[1]);
            add("heads", "q1x%dx1x24 kv%dx130 f32 lse", h[0], h[1]);
        }
    }

    private void masks() {
        int[][] lengths = full ? new int[][] {{5, 9}, {18, 18}, {40, 23}, {70, 150}} : new int[][] {{18, 18}, {40, 23}};
        for (int[] l : lengths) {
            for (String mask : MASKS) {
                add("masks", "q2x4x%1$dx16 kv2x%2$d f32 lse mask=" + mask + " poison", l[0], l[1]);
                add("masks", "q2x4x%1$dx16 kv2x%2$d f32 lse mask=" + mask + " poison backward seed=2", l[0], l[1]);
            }
        }
        for (String mask : List.of(
                "spans:2x4x33",
                "spans:1x1x33&causal:br",
                "spans:1x4x33&spans:2x1x1",
                "spans:2x1x33&dense:1x4x1x70",
                "blocks:8x16:2x1x5x5",
                "blocks:5x70:1x4x7x1",
                "blocks:8x16:1x1x5x5&spans:1x4x33",
                "blocks:8x16:1x1x5x5&blocks:16x8:2x1x3x9")) {
            add("masks", "q2x4x33x16 kv2x70 f32 lse mask=" + mask + " poison");
            add("masks", "q2x4x33x16 kv2x70 f32 lse mask=" + mask + " poison backward seed=2");
        }
    }

    private void modifiers() {
        for (String modifier : MODIFIERS) {
            add("modifiers", "q2x4x%1$dx24 kv2x%2$d f32 lse weights " + modifier, 19, 35);
            add("modifiers", "q2x4x%1$dx24 kv2x%2$d f32 lse " + modifier + " backward", 19, 35);
        }
    }

    private void scores() {
        String[] around = {
            "",
            "lse mask=causal:br",
            "softcap=2.0 bias=1x4x%1$dx%2$d mask=window:9,3:br sink lse",
            "lse mask=keylens poison",
            "weights topk=3 rows=2",
            "dropout=0.2 values=large",
        };
        for (int n = 0; n < SCORES.length; n++) {
            for (int a = 0; a < around.length; a++) {
                if (!passedOver(n + a)) {
                    String words = SCORES[n] + " " + around[a] + " backward";
                    add("scores", "q2x4x18x40 kv2x30 f32 " + words, 18, 30, 35);
                    add("scores", "q2x4x3x17 kv4x65 dv9 f32 " + words, 3, 65, 70);
                }
            }
            if (!passedOver(n)) {
                add("scores", "q2x4x21x32 kv2x44 f64 lse " + SCORES[n] + " backward", 21, 44, 44);
                add("scores", "q2x4x21x32 kv2x44 f16 " + SCORES[n] + " backward", 21, 44, 44);
                add("scores", "q2x4x7x64 kv2x16 bf16 mask=causal:br " + SCORES[n] + " backward", 7, 16, 16);
                add("scores", "q2x4x1x64 kv1x300 f32 " + SCORES[n], 1, 300, 300);
                add("scores", "q2x4x70x8 kv1x130 f32 layout=padded " + SCORES[n] + " backward", 70, 130, 133);
            }
        }
    }

    /** Scales and softcaps at which a score, a sink or a row maximum would leave the range of f32, and parameters in f64. */
    private void scales() {
        for (String scale : new String[] {"0.0", "1.0E-44", "-1.0E-38", "1.0E-30", "-1.0E30", "1.0E37"}) {
            for (String type : new String[] {"f32", "bf16", "f64"}) {
                add("scales", "q1x2x14x8 kv1x12 %s score=scaled-dot:%s sink lse weights topk=3 backward", type, scale);
                add("scales", "q1x2x2x8 kv1x12 %s score=scaled-dot:%s sink lse mask=causal:br backward", type, scale);
            }
            add("scales", "q1x2x14x8 kv1x12 f32 score=scaled-dot:%s lse scores=modified rows=2 tf32", scale);
        }
        for (String type : new String[] {"f32", "bf16", "f64"}) {
            add("scales", "q1x2x14x8 kv1x12 %s softcap=1.2E-38 lse weights", type);
            for (String softcap : new String[] {"1.0E-30", "1.0E30", "3.4E38"}) {
                add("scales", "q1x2x14x8 kv1x12 %s softcap=%s lse weights backward", type, softcap);
            }
        }
        for (String type : new String[] {"f32", "f16", "bf16"}) { // parameters in a wider type than the arithmetic
            for (String score :
                    new String[] {"general", "additive:8,bias", "concat:8,heads", "cosine:learned,1x2x14"}) {
                add("scales", "q1x2x14x8 kv1x12 %s score=%s lse params=f64 backward", type, score);
            }
            add("scales", "q1x2x14x8 kv1x12 %s bias=14x12 alibi sink lse params=f64 backward", type);
        }
        add("scales", "q1x2x14x8 kv1x12 f32 score=gaussian:0.0 sink lse weights backward");
        add("scales", "q1x2x14x8 kv1x12 f32 score=cosine:0.0 sink lse weights backward");
    }

    private void outputs() {
        for (String output : OUTPUTS) {
            add("outputs", "q2x4x%1$dx16 kv4x%2$d f32 " + output, 17, 33);
            add("outputs", "q2x4x%1$dx16 kv4x%2$d f32 " + output + " layout=padded seed=3", 33, 17);
        }
    }

    private void values() {
        for (String values : new String[] {"large", "huge", "constant"}) {
            add("values", "q1x2x21x64 kv2x45 f32 lse weights values=" + values);
            add("values", "q1x2x21x64 kv2x45 f32 lse mask=causal:br backward values=" + values);
            add("values", "q1x2x21x64 kv2x45 f32 lse sink softcap=20.0 values=" + values);
            add("values", "softmax 7x101 axis=1 f32 backward values=" + values);
            add("values", "softmax 7x101 axis=1 f64 backward values=" + values);
        }
    }

    private void placements() {
        for (String layout : new String[] {"bhsd", "bshd", "padded", "native"}) {
            for (String type : new String[] {"f32", "f64", "bf16"}) {
                add("layouts", "q2x4x11x20 kv2x19 dv12 %s lse mask=causal:br backward layout=%s", type, layout);
                add("layouts", "softmax 3x17x5 axis=1 %s backward layout=%s", type, layout);
                add("layouts", "mha in=24x24x24 out=20 biases=qkvo q2x4x7x6 kv2x9 %s backward layout=%s", type, layout);
                add("layouts", "rotary 2x3x5x12 dim=8 positions %s backward layout=%s", type, layout);
            }
        }
    }

    private void types() {
        for (String type : new String[] {"f64", "f16", "bf16"}) {
            add("types", "q1x4x33x64 kv2x65 %s lse weights", type);
            add("types", "q1x4x33x64 kv2x65 %s lse mask=causal:br backward", type);
            add("types", "q1x4x1x64 kv2x300 %s lse topk=4", type);
            add("types", "q2x4x18x40 kv2x30 %s lse softcap=5.0 bias=1x4x18x30 sink mask=keylens poison backward", type);
            add("types", "q1x2x21x64 kv2x45 %s lse values=large", type);
            add("types", "softmax 5x257 axis=1 %s backward", type);
            add("types", "log-softmax 5x257 axis=1 %s backward", type);
        }
    }

    /** Partial results of every type, in the accumulator type and in f64: prefill, decode, optional outputs, backward. */
    private void partial() {
        for (String partial : new String[] {"partial", "partial=f64"}) {
            for (String type : new String[] {"f32", "f64", "f16", "bf16"}) {
                add("partial", "q1x4x33x64 kv2x65 %s lse mask=causal:br %s backward", type, partial);
                add("partial", "q1x8x1x64 kv2x600 %s lse %s", type, partial);
                add("partial", "q2x4x5x20 kv2x30 dv9 %s lse weights topk=4 scores=modified %s", type, partial);
                add(
                        "partial",
                        "q2x4x18x40 kv2x30 %s lse softcap=5.0 bias=1x4x18x30 mask=keylens poison %s backward layout=padded",
                        type,
                        partial);
            }
            add("partial", "q2x4x5x16 kv2x67 f32 kv=i8 lse %s", partial);
            add("partial", "q2x4x20x16 kv2x67 bf16 kv=i8 lse %s", partial);
            add("partial", "q2x4x7x16 kv2x19 bf16 score=gaussian:0.2 lse %s backward", partial);
            add("partial", "q2x4x7x16 kv2x19 bf16 score=general lse %s backward", partial);
            add("partial", "q1x4x33x64 kv2x65 f32 lse values=large %s", partial);
        }
    }

    /** Cases that allow tf32, for backends that use the permission and for backends that ignore it. */
    private void tf32() {
        add("tf32", "q1x4x33x64 kv2x65 f32 lse tf32");
        add("tf32", "q1x4x70x128 kv2x140 f32 lse mask=causal:br sink poison tf32 backward");
        add("tf32", "q1x2x65x96 kv1x131 f32 lse mask=window:40,5:br bias=1x2x65x131 softcap=10.0 tf32");
        add("tf32", "q1x2x21x20 kv1x45 dv33 f32 lse layout=padded tf32");
        add("tf32", "q2x4x1x64 kv2x300 f32 lse tf32");
    }

    /**
     * Cases with i8 keys and values, for every query type that supports them. They have few queries, as in decode, or
     * many, as in prefill, and options that select different kernel loops.
     */
    private void bytes() {
        for (String type : new String[] {"f32", "f16", "bf16"}) {
            for (int queries : new int[] {1, 13, 70}) {
                for (String word : BYTES) {
                    add("bytes", "q2x4x%dx16 kv2x67 %s kv=i8 lse %s", queries, type, word);
                }
            }
            for (String layout : new String[] {"bshd", "padded", "native"}) {
                add("bytes", "q2x4x3x20 kv2x83 dv33 %s kv=i8 lse mask=causal:br layout=%s", type, layout);
                add("bytes", "q1x4x33x64 kv2x65 %s kv=i8 lse layout=%s", type, layout);
                add("bytes", "q1x4x21x192 kv2x70 dv128 %s kv=i8 lse mask=keylens poison layout=%s", type, layout);
            }
            add("bytes", "q1x8x1x64 kv2x300 %s kv=i8 lse", type);
            add("bytes", "q2x4x1x128 kv4x1100 %s kv=i8 lse mask=keylens poison", type);
            add("bytes", "q2x4x3x20 kv1x70 dv33 %s kv=i8 lse sink bias=70 softcap=20.0", type);
            add("bytes", "q1x4x33x64 kv2x65 %s kv=i8 lse weights mask=causal:br", type);
        }
        add("bytes", "q1x2x5x64 kv2x130 f32 kv=i8 lse mask=window:40,0:br poison values=large");
        add("bytes", "q1x4x70x20 kv2x75 dv130 f32 kv=i8 lse topk=3 poison mask=window:9,2:tl");
        add("bytes", "q1x1x1x3 kv1x5 f32 kv=i8 score=dot");
    }

    private void dropout() {
        add("dropout", "q2x4x18x16 kv2x37 f32 lse dropout=0.1");
        add("dropout", "q2x4x18x16 kv2x37 f32 lse weights dropout=0.5 mask=causal:br backward seed=5");
        add("dropout", "q1x1x9x8 kv1x1 f32 dropout=0.9 backward");
        add("dropout", "q1x2x9x64 kv2x70 bf16 dropout=0.2 backward");
    }

    private void backward() {
        add("backward", "q1x2x64x64 kv2x64 f32 backward");
        add("backward", "q1x2x65x64 kv2x130 f32 lse mask=window:20,5:br bias=1x2x65x130 sink softcap=10.0 backward");
        add("backward", "q1x8x40x32 kv2x40 f64 lse mask=causal:br alibi backward");
        longSums();
        if (full) {
            add("backward", "q1x4x257x64 kv2x257 f32 lse mask=causal:br backward");
            add("backward", "q1x2x130x128 kv2x300 f32 lse backward");
        }
    }

    /** Adds cases whose gradients are sums over many query heads, many queries, or all scores that share a bias. */
    private void longSums() {
        add("backward", "q1x64x64x16 kv1x64 f32 lse backward");
        add("backward", "q1x32x17x24 kv1x40 f16 backward");
        add("backward", "q2x2x63x8 kv2x65 f32 bias=65 backward");
        add("backward", "q2x2x63x8 kv2x65 f32 bias=1 backward");
        if (full) {
            add("backward", "q1x64x64x16 kv1x64 f32 backward seed=3");
            add("backward", "q1x32x128x64 kv1x128 f32 mask=causal:br backward");
            add("backward", "q2x128x9x8 kv1x33 f32 mask=window:3,3:br poison backward");
            add("backward", "q1x48x20x16 kv1x30 bf16 softcap=5.0 sink backward");
            add("backward", "q1x32x20x16 kv1x30 f32 score=additive:8 backward");
            add("backward", "q1x32x20x16 kv1x30 f64 score=general bias=20x1 backward");
            add("backward", "q1x8x64x64 kv8x512 f32 bias=1 backward");
            add("backward", "q2x8x20x16 kv2x30 f32 bias=1x8x1x1 alibi backward");
            add("backward", "q1x1x4096x16 kv1x64 f32 backward");
        }
    }

    private void decode() {
        for (int keys : full ? new int[] {1, 17, 255, 1000, 4097} : new int[] {17, 1000}) {
            add("decode", "q2x8x1x64 kv2x%d f32 lse", keys);
            add("decode", "q1x8x4x64 kv8x%d f32 lse mask=causal:br", keys);
            add("decode", "q3x4x1x128 kv1x%d f32 lse mask=keylens poison", keys);
            add("decode", "q2x8x1x64 kv4x%d f32 lse mask=spans:2x8x1 poison", keys);
        }
        if (full) {
            add("decode", "q1x1x1x16 kv1x100003 f32 lse");
        }
    }

    private void softmax() {
        for (String kind : new String[] {"softmax", "log-softmax"}) {
            for (int n : new int[] {1, 2, 3, 15, 16, 17, 33, 257, 1000}) {
                add("softmax", kind + " 5x%d axis=1 f32 backward", n);
            }
            add("softmax", kind + " 7 axis=0 f32 backward");
            add("softmax", kind + " 3x4x5 axis=0 f32 backward");
            add("softmax", kind + " 2x19x3x2 axis=1 f32 backward");
            add("softmax", kind + " 1x100003 axis=1 f32");
            add("softmax", kind + " 1x100003 axis=1 f64");
            if (full) {
                add("softmax", kind + " 2x1000000 axis=1 f32");
            }
        }
    }

    private void multiHead() {
        add("multi-head", "mha in=32x32x32 out=32 q2x4x9x8 kv4x9 f32 lse backward");
        add("multi-head", "mha in=48x20x28 out=40 biases=qkvo q2x6x7x10 kv2x11 dv12 f32 lse weights backward");
        add("multi-head", "mha in=17x17x17 out=3 biases=qv q1x3x5x7 kv1x5 f32 mask=causal:br backward");
        add("multi-head", "mha in=64x64x64 out=64 biases=o q1x8x33x8 kv8x20 f32 rows=2 mask=keylens sink backward");
        add("multi-head", "mha in=32x32x32 out=32 biases=qkvo q1x4x9x8 kv2x9 f64 bias=1x4x9x9 backward");
        add("multi-head", "mha in=64x64x64 out=64 biases=qkvo q2x4x12x16 kv4x12 bf16");
        add("multi-head", "mha in=32x32x32 out=32 q2x4x9x8 kv4x9 f32 score=cosine:3.0 lse backward");
        add("multi-head", "mha in=32x32x32 out=32 biases=q q2x4x9x8 kv2x13 f32 score=additive:16,bias,heads backward");
        add("multi-head", "mha in=32x32x32 out=32 q2x4x9x8 kv2x13 f32 score=gaussian:learned mask=causal:br backward");
        add("multi-head", "mha in=32x32x32 out=32 q2x4x9x8 kv4x9 f64 score=general:heads weights backward");
        add("multi-head", "mha in=32x32x32 out=32 q2x4x9x8 kv4x9 f64 score=additive:plain backward");
        if (full) {
            add("multi-head", "mha in=384x384x384 out=384 biases=qkvo q1x12x65x32 kv12x65 f32 weights backward");
        }
    }

    private void linear() {
        for (String words : new String[] {"", "bias ", "relu ", "bias gelu ", "bias tanh "}) {
            add("linear", "linear 7x33x65 " + words + "f32 backward");
            add("linear", "linear 13x20x31 " + words + "f64 backward");
        }
        for (String sizes : new String[] {"1x1x1", "1x300x17", "129x1x64", "97x257x63", "100x513x130"}) {
            add("linear", "linear " + sizes + " bias gelu f32 backward");
        }
        add("linear", "linear 50x64x64 bias f32 values=huge backward");
        add("linear", "linear 50x64x64 bias gelu f32 values=large layout=padded backward");
        add("linear", "linear 31x48x70 bias gelu f32 layout=native backward");
        add("linear", "linear 31x48x70 bias relu bf16 backward");
        add("linear", "linear 31x48x70 bias gelu f16");
        if (full) {
            add("linear", "linear 512x384x1536 bias gelu f32");
            add("linear", "linear 200x1536x384 bias f32 backward");
        }
    }

    private void rotary() {
        for (String words : new String[] {"", "interleaved ", "positions ", "dim=6 interleaved positions "}) {
            add("rotary", "rotary 2x3x9x16 " + words + "f32 backward");
            add("rotary", "rotary 1x2x5x10 " + words + "f64 backward");
        }
    }

    /** Cases with unusual headDim, most with a single query or key, and in the full grid cases with a million keys. */
    private void extremes() {
        for (int width : full ? new int[] {1, 2, 3, 127, 512} : new int[] {3}) {
            add("extremes", "q2x8x1x%d kv8x1 f32 lse backward", width);
            add("extremes", "q1x4x1x%d kv1x300 f32 lse backward", width);
            add("extremes", "q1x2x300x%d kv1x1 f32 lse backward", width);
            add("extremes", "q1x4x40x%d kv2x50 f32 lse mask=causal:br backward", width);
        }
        if (full) {
            add("extremes", "q1x1x1x32 kv1x1000000 f32 lse");
            add("extremes", "q1x4x1x32 kv1x1000000 f32 lse");
            add("extremes", "q1x4x3x32 kv1x1000000 f32 lse mask=causal:br");
        }
    }
}
