package dev.heed.view;

/** What one drawn value says of the many it stands for, where there are more values than room. */
public enum Pooling {
    /** Their mean: the overall shade is right, a single strong value fades. */
    MEAN("mean"),
    /** The largest: a single strong value stays seen, weak regions look stronger than they are. */
    MAX("largest");

    private final String word;

    Pooling(String word) {
        this.word = word;
    }

    String word() {
        return word;
    }
}
