package dev.heed.view;

/** The way to pool several values into one drawn value if there are more values than cells. */
public enum Pooling {
    /** The mean of the values: the overall shade is right, but a single strong value fades. */
    MEAN("mean"),
    /** The maximum of the values: a single strong value stays visible, but weak regions look stronger than they are. */
    MAX("largest");

    private final String word;

    Pooling(String word) {
        this.word = word;
    }

    String word() {
        return word;
    }
}
