package dev.heed.view;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;

/** The output capabilities of a terminal, from the most colours to none. */
public enum TerminalColors {
    /** 24-bit colours with ANSI escapes. */
    TRUE_COLOR,
    /** The 256 colours of xterm with ANSI escapes. */
    COLORS_256,
    /** No escapes: Unicode block elements of five densities. */
    BLOCKS,
    /** No escapes and only ASCII characters: ten densities. */
    ASCII;

    /**
     * {@return the capabilities to use for a text}
     *
     * <p>Colours need a terminal whose {@code TERM} is set and not {@code dumb}, and no {@code NO_COLOR} (<a
     * href="https://no-color.org">no-color.org</a>: set and not empty). {@code COLORTERM=truecolor} or {@code 24bit},
     * or a {@code TERM} that ends with {@code -direct}, means 24 bits. Blocks need a Unicode charset.
     *
     * @param environment the environment variables
     * @param terminal whether the text goes to a terminal, not to a file or a pipe
     * @param charset the encoding of the text
     */
    public static TerminalColors detect(Map<String, String> environment, boolean terminal, Charset charset) {
        String term = environment.getOrDefault("TERM", "");
        boolean dumb = term.isEmpty() || term.equals("dumb");
        if (!terminal || dumb || !environment.getOrDefault("NO_COLOR", "").isEmpty()) {
            return charset.name().startsWith("UTF-") ? BLOCKS : ASCII;
        }
        String depth = environment.getOrDefault("COLORTERM", "").toLowerCase(Locale.ROOT);
        boolean deep = depth.contains("truecolor") || depth.contains("24bit") || term.endsWith("-direct");
        return deep ? TRUE_COLOR : COLORS_256;
    }

    /** {@return the capabilities of standard output of this process} Without a console no escapes are used. */
    public static TerminalColors detect() {
        var console = System.console();
        boolean terminal = console != null && console.isTerminal();
        String encoding = System.getProperty("stdout.encoding", StandardCharsets.US_ASCII.name());
        return detect(System.getenv(), terminal, Charset.forName(encoding, StandardCharsets.US_ASCII));
    }

    /** {@return the escape that paints the background, empty without colours} */
    String background(int rgb) {
        return switch (this) {
            case TRUE_COLOR -> "\u001b[48;2;" + (rgb >> 16 & 0xFF) + ";" + (rgb >> 8 & 0xFF) + ";" + (rgb & 0xFF) + "m";
            case COLORS_256 -> "\u001b[48;5;" + nearest256(rgb) + "m";
            case BLOCKS, ASCII -> "";
        };
    }

    /** {@return the escape that resets the background, empty without colours} */
    String reset() {
        return this == TRUE_COLOR || this == COLORS_256 ? "\u001b[0m" : "";
    }

    /** {@return the characters from weak to strong; a single blank if colours are used} */
    String ramp() {
        return switch (this) {
            case TRUE_COLOR, COLORS_256 -> " ";
            case BLOCKS -> " ░▒▓█";
            case ASCII -> " .:-=+*#%@";
        };
    }

    /** {@return the index of the nearest xterm colour: 6 x 6 x 6 colours begin at 16, 24 greys at 232} */
    private static int nearest256(int rgb) {
        int r = cube(rgb >> 16 & 0xFF);
        int g = cube(rgb >> 8 & 0xFF);
        int b = cube(rgb & 0xFF);
        int mean = ((rgb >> 16 & 0xFF) + (rgb >> 8 & 0xFF) + (rgb & 0xFF)) / 3;
        int grey = Math.clamp((mean - 3) / 10, 0, 23);
        int greyLevel = 8 + 10 * grey;
        int greyRgb = greyLevel << 16 | greyLevel << 8 | greyLevel;
        int cubeRgb = level(r) << 16 | level(g) << 8 | level(b);
        return distance(rgb, greyRgb) < distance(rgb, cubeRgb) ? 232 + grey : 16 + 36 * r + 6 * g + b;
    }

    private static int cube(int channel) {
        return channel < 48 ? 0 : channel < 115 ? 1 : (channel - 35) / 40;
    }

    private static int level(int cube) {
        return cube == 0 ? 0 : 55 + 40 * cube;
    }

    private static int distance(int a, int b) {
        int sum = 0;
        for (int shift = 16; shift >= 0; shift -= 8) {
            int d = (a >> shift & 0xFF) - (b >> shift & 0xFF);
            sum += d * d;
        }
        return sum;
    }
}
