package dev.heed.mask;

/** How much of a tile of query rows by key columns a mask lets take part. */
public enum TileCover {
    /** Nothing takes part: the tile is skipped, its keys and values are not read. */
    EMPTY,
    /** Some of it may take part: every element is asked for. */
    PARTIAL,
    /** Everything takes part: no mask code runs. */
    FULL
}
