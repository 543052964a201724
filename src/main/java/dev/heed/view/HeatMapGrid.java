package dev.heed.view;

import dev.heed.tensor.InvalidInputException;
import java.util.List;
import java.util.Objects;

/**
 * Several heat maps in one picture with one colour bar, such as the heads of a layer. Immutable.
 *
 * <p>All maps share one range, so that their colours are comparable; palette, theme and explicit range are taken from
 * the first map.
 */
public final class HeatMapGrid extends Picture {
    private final List<HeatMap> maps;
    private final int perRow;
    private final String title;

    private HeatMapGrid(List<HeatMap> maps, int perRow, String title) {
        this.maps = maps;
        this.perRow = perRow;
        this.title = title;
    }

    /**
     * {@return the maps in a grid with about as many rows as columns}
     *
     * @throws InvalidInputException if there are no maps
     */
    public static HeatMapGrid of(List<HeatMap> maps) {
        if (maps.isEmpty()) {
            throw new InvalidInputException(
                    "A picture needs a heat map", "one heat map or more", "none", "HeatMap.of(weights)");
        }
        return new HeatMapGrid(List.copyOf(maps), (int) Math.ceil(Math.sqrt(maps.size())), "");
    }

    /**
     * {@return these maps with {@code count} maps per row}
     *
     * @throws InvalidInputException if {@code count} is below 1
     */
    public HeatMapGrid perRow(int count) {
        if (count < 1) {
            throw new InvalidInputException(
                    "A row must hold at least one heat map", "1 or more", String.valueOf(count), "perRow(4)");
        }
        return new HeatMapGrid(maps, count, title);
    }

    /** {@return these maps with a common title above them} */
    public HeatMapGrid title(String title) {
        return new HeatMapGrid(maps, perRow, Objects.requireNonNull(title));
    }

    @Override
    Sheet sheet() {
        return HeatMapSheet.of(maps, Math.min(perRow, maps.size()), title);
    }
}
