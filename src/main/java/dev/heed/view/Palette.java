package dev.heed.view;

/**
 * A scale of colours from weak to strong. Luminance is monotonic along every palette, so the order is visible with
 * every kind of colour vision and in a grey print.
 */
public enum Palette {
    /** From dark violet through green to yellow; the default. */
    VIRIDIS(0x440154, 0x472D7B, 0x3B528B, 0x2C728E, 0x21918C, 0x28AE80, 0x5EC962, 0xADDC30, 0xFDE725),
    /** From dark blue through grey to yellow; looks nearly the same with every kind of colour vision. */
    CIVIDIS(0x00224E, 0x123570, 0x3B496C, 0x575D6D, 0x707173, 0x8A8678, 0xA59C74, 0xC3B369, 0xE1CC55, 0xFEE838),
    /** From black to white, as in the figures of Bahdanau et al. 2015. */
    GREY(0x000000, 0xFFFFFF),
    /** From black through violet and red to pale yellow. */
    MAGMA(0x000004, 0x1D1147, 0x51127C, 0x822681, 0xB63679, 0xE65164, 0xFB8861, 0xFEC287, 0xFCFDBF),
    /** From white to dark blue (stronger is darker), for print on paper. */
    BLUES(0xFFFFFF, 0xDEEBF7, 0xC6DBEF, 0x9ECAE1, 0x6BAED6, 0x4292C6, 0x2171B5, 0x08519C, 0x08306B),
    /** From white to black (stronger is darker), for print without colours. */
    INK(0xFFFFFF, 0x000000);

    private final int[] anchors;

    Palette(int... anchors) {
        this.anchors = anchors;
    }

    /** {@return the colour {@code 0xRRGGBB} at a position from 0 (weak) to 1 (strong); positions outside are clamped} */
    public int rgb(double position) {
        double at = Math.clamp(position, 0.0, 1.0) * (anchors.length - 1);
        int below = (int) at;
        int above = Math.min(below + 1, anchors.length - 1);
        int rgb = 0;
        for (int shift = 16; shift >= 0; shift -= 8) {
            int from = anchors[below] >> shift & 0xFF;
            int to = anchors[above] >> shift & 0xFF;
            rgb |= (int) Math.round(from + (to - from) * (at - below)) << shift;
        }
        return rgb;
    }

    /** {@return whether stronger is brighter; otherwise stronger is darker} */
    public boolean brightens() {
        return luminance(rgb(1)) > luminance(rgb(0));
    }

    /** {@return the relative luminance of a colour, 0 for black to 1 for white (WCAG 2)} */
    static double luminance(int rgb) {
        return 0.2126 * linear(rgb >> 16) + 0.7152 * linear(rgb >> 8) + 0.0722 * linear(rgb);
    }

    private static double linear(int channel) {
        double c = (channel & 0xFF) / 255.0;
        return c <= 0.04045 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4);
    }
}
