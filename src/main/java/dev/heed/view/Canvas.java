package dev.heed.view;

import org.jspecify.annotations.Nullable;

/** A page with its upper left corner at 0, 0, in pixels of a usual screen, on which a picture puts its ink. */
interface Canvas {
    /** In place of a colour: not drawn. */
    int NONE = -1;

    /** Where a text stands relative to its place. */
    enum Anchor {
        START,
        MIDDLE,
        END
    }

    /**
     * How a text is set.
     *
     * @param size of the letters
     * @param bold whether they are semibold
     * @param anchor which part of the text lies at its place
     * @param turn degrees clockwise
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
     * How a line is drawn.
     *
     * @param colour 0xRRGGBB
     * @param width in pixels
     * @param opacity 0 for unseen to 1
     * @param dashes lengths of ink and gap in turn, or none
     */
    record Stroke(int colour, double width, double opacity, double... dashes) {}

    /** Square cells in rows and columns. */
    interface CellInk {
        /** {@return the colour of a cell, or {@link Canvas#NONE} for hatching} */
        int colour(int row, int column);

        /** {@return what is told of a cell when it is pointed at} */
        String hover(int row, int column);
    }

    /**
     * Draws cells that begin at a place.
     *
     * @param pitch the distance from one to the next
     * @param side the side of each
     */
    void cells(double x, double y, int rows, int columns, double pitch, double side, CellInk ink);

    /** Draws a rectangle; {@code hover} is told when it is pointed at, if there is any. */
    void box(double x, double y, double width, double height, int fill, int outline, @Nullable String hover);

    /** Draws a palette, strong at the top. */
    void bar(double x, double y, double width, double height, Palette palette, int outline);

    /** Draws a line through points: x and y in turn. */
    void line(Stroke stroke, double... points);

    /** Draws a cubic Bezier curve through x and y of the start, two controls and the end. */
    void curve(Stroke stroke, String hover, double... points);

    /** Draws a filled circle. */
    void dot(double x, double y, double radius, int fill, double opacity, @Nullable String hover);

    /** Writes a text; the place is on its base line. */
    void text(double x, double y, Script script, String text);
}
