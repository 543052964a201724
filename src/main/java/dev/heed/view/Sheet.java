package dev.heed.view;

import java.util.function.Consumer;

/**
 * A picture laid out: its size is known, its ink is not dry.
 *
 * @param width in pixels
 * @param height in pixels
 * @param name what it is called to somebody who does not see it
 * @param theme its ground and inks
 * @param ink draws it
 */
record Sheet(double width, double height, String name, Theme theme, Consumer<Canvas> ink) {}
