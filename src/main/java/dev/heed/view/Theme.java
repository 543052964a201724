package dev.heed.view;

/** The background and ink of a picture: dark ink on a light background, or light ink on a dark one. */
public enum Theme {
    /** For papers and light pages. */
    LIGHT(0xFFFFFF, 0x222222, 0x555555, 0xBBBBBB, 0xE4E4E4, 0xF2F2F2, 0xB0B0B0),
    /** For slides and dark pages. */
    DARK(0x16181D, 0xE6E6E6, 0xA6ABB4, 0x565B66, 0x2E323A, 0x24272E, 0x5C626E);

    private final int ground;
    private final int ink;
    private final int faint;
    private final int frame;
    private final int gridLine;
    private final int hatchGround;
    private final int hatchLine;

    Theme(int ground, int ink, int faint, int frame, int gridLine, int hatchGround, int hatchLine) {
        this.ground = ground;
        this.ink = ink;
        this.faint = faint;
        this.frame = frame;
        this.gridLine = gridLine;
        this.hatchGround = hatchGround;
        this.hatchLine = hatchLine;
    }

    /** Colours of lines and points that are distinguishable with every kind of colour vision (Okabe and Ito 2008). */
    private static final int[] ON_LIGHT = {0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0x56B4E9, 0xE69F00};

    private static final int[] ON_DARK = {0x56B4E9, 0xE69F00, 0x2FBF97, 0xDD9CC0, 0xF0E442, 0xF07A3A};

    /** {@return the colour of the n-th series of a chart; the six colours repeat} */
    int series(int n) {
        int[] colours = this == LIGHT ? ON_LIGHT : ON_DARK;
        return colours[n % colours.length];
    }

    int ground() {
        return ground;
    }

    int ink() {
        return ink;
    }

    /** {@return the colour of captions} */
    int faint() {
        return faint;
    }

    int frame() {
        return frame;
    }

    int gridLine() {
        return gridLine;
    }

    int hatchGround() {
        return hatchGround;
    }

    int hatchLine() {
        return hatchLine;
    }
}
