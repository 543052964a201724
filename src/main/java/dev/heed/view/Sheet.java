package dev.heed.view;

import java.util.function.Consumer;

/**
 * A picture after layout, with its size and a function that draws its content.
 *
 * @param width the width in pixels
 * @param height the height in pixels
 * @param name the accessible name, for screen readers
 * @param theme the background and ink colours
 * @param ink draws the content on a canvas
 */
record Sheet(double width, double height, String name, Theme theme, Consumer<Canvas> ink) {}
