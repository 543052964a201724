package dev.heed.mask;

/** The classification of a tile of query rows by key columns by its attended elements. */
public enum TileCover {
    /** Every element is masked: the tile is skipped, and its keys and values are not read. */
    EMPTY,
    /** Some elements may be attended: the mask is evaluated for every element. */
    PARTIAL,
    /** Every element is attended: no mask code runs. */
    FULL
}
