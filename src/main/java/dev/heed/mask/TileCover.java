package dev.heed.mask;

/** The classification of a tile (query rows by key columns): none, some or all of its elements are attended. */
public enum TileCover {
    /** Every element is masked: the tile is skipped, and its keys and values are not read for its queries. */
    EMPTY,
    /** The tile may have both attended and masked elements: the mask is evaluated for every element. */
    PARTIAL,
    /** Every element is attended: no mask code runs. */
    FULL
}
