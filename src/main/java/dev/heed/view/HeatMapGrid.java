package dev.heed.view;

import dev.heed.tensor.InvalidInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * Several heat maps in one picture with one colour bar, such as the heads of a layer. Immutable.
 *
 * <p>All maps share one range, so that colours compare; palette and given range are those of the first map.
 */
public final class HeatMapGrid {
    private final List<HeatMap> maps;
    private final int perRow;
    private final String title;

    private HeatMapGrid(List<HeatMap> maps, int perRow, String title) {
        this.maps = maps;
        this.perRow = perRow;
        this.title = title;
    }

    /**
     * {@return the maps side by side, in rows of about equal width and height}
     *
     * @throws InvalidInputException if there are no maps
     */
    public static HeatMapGrid of(List<HeatMap> maps) {
        if (maps.isEmpty()) {
            throw new InvalidInputException(
                    "A picture needs something to show", "one heat map or more", "none", "HeatMap.of(weights)");
        }
        return new HeatMapGrid(List.copyOf(maps), (int) Math.ceil(Math.sqrt(maps.size())), "");
    }

    /**
     * {@return these maps with so many in a row}
     *
     * @throws InvalidInputException if that is fewer than one
     */
    public HeatMapGrid perRow(int count) {
        if (count < 1) {
            throw new InvalidInputException(
                    "A row holds at least one heat map", "1 or more", String.valueOf(count), "perRow(4)");
        }
        return new HeatMapGrid(maps, count, title);
    }

    /** {@return these maps with a title above all} */
    public HeatMapGrid title(String title) {
        return new HeatMapGrid(maps, perRow, Objects.requireNonNull(title));
    }

    /** {@return the picture as an SVG document} */
    public String svg() {
        return SvgPage.draw(maps, Math.min(perRow, maps.size()), title);
    }

    /**
     * Writes the picture as an SVG file, over an older one.
     *
     * @throws IOException if the file cannot be written
     */
    public void svg(Path file) throws IOException {
        Files.writeString(file, svg(), StandardCharsets.UTF_8);
    }
}
