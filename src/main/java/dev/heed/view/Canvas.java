package dev.heed.view;

import org.jspecify.annotations.Nullable;

/** A drawing surface for pictures, with the origin in the upper left corner and CSS pixels as units. */
interface Canvas {
    /** The value of a colour argument that draws nothing. */
    int NONE = -1;

    /** The alignment of a text relative to its position. */
    enum Anchor {
        START,
        MIDDLE,
        END
    }

    /**
     * The style of a text.
     *
     * @param size the font size in pixels
     * @param bold whether the letters are semibold
     * @param anchor the part of the text that is at its position
     * @param turn the rotation in degrees clockwise
     * @param colour 0xRRGGBB
     */
    record Script(double size, boolean bold, Anchor anchor, int turn, int colour) {
        static Script of(double size, int colour) {
            return new Script(size, false, Anchor.START, 0, colour);
        }

        Script semibold() {
            return new Script(size, true, anchor, turn, colour);
        }

        Script at(Anchor where) {
            return new Script(size, bold, where, turn, colour);
        }

        Script turned(int degrees) {
            return new Script(size, bold, anchor, degrees, colour);
        }
    }

    /**
     * The style of a line.
     *
     * @param colour 0xRRGGBB
     * @param width the width in pixels
     * @param opacity from 0 (invisible) to 1
     * @param dashes alternating lengths of dashes and gaps in pixels; none for a solid line
     */
    record Stroke(int colour, double width, double opacity, double... dashes) {}

    /** The colours and tooltips of square cells in rows and columns. */
    interface CellInk {
        /** {@return the colour of a cell, or {@link Canvas#NONE} for hatching} */
        int colour(int row, int column);

        /** {@return the tooltip of a cell} */
        String hover(int row, int column);
    }

    /**
     * Draws a grid of cells with its upper left corner at a position.
     *
     * @param pitch the distance between the left edges of neighbouring cells
     * @param side the side length of a cell
     */
    void cells(double x, double y, int rows, int columns, double pitch, double side, CellInk ink);

    /** Draws a rectangle with an optional tooltip {@code hover}. */
    void box(double x, double y, double width, double height, int fill, int outline, @Nullable String hover);

    /** Draws the colours of a palette in a vertical bar, the strongest at the top. */
    void bar(double x, double y, double width, double height, Palette palette, int outline);

    /** Draws a line through points, given as alternating x and y. */
    void line(Stroke stroke, double... points);

    /** Draws a cubic Bezier curve through the start, two control points and the end, given as alternating x and y. */
    void curve(Stroke stroke, String hover, double... points);

    /** Draws a filled circle. */
    void dot(double x, double y, double radius, int fill, double opacity, @Nullable String hover);

    /** Draws a text whose base line is at a position. */
    void text(double x, double y, Script script, String text);
}
