package dev.heed.cli.explain;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.heed.cli.console.CliEnvironment;
import dev.heed.cli.console.CommandFailure;
import dev.heed.cli.console.ErrorLine;
import dev.heed.cli.console.HeedCommand;
import dev.heed.cli.console.JsonText;
import dev.heed.cli.console.TextTable;
import dev.heed.cli.explain.WeightsFile.Entry;
import dev.heed.tensor.DType;
import dev.heed.tensor.InvalidInputException;
import dev.heed.tensor.Tensor;
import dev.heed.view.HeatMap;
import dev.heed.view.HeatMapGrid;
import dev.heed.view.LineView;
import dev.heed.view.Palette;
import dev.heed.view.Picture;
import dev.heed.view.Pooling;
import dev.heed.view.Theme;
import dev.heed.view.WeightProfile;
import dev.heed.view.text.VisibleText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code heed view FILE}: draws attention weights that another program wrote. */
public @Command(
        name = "view",
        description = {
            "Draw attention weights from a file: .npy, .npz, safetensors, or the JSON of BertViz. Four axes are layers,"
                    + " heads, queries and keys; three are heads, queries and keys.",
            ""
        },
        footer = {
            "",
            "Layers and heads count from 0. Without --layer and --head a heat map shows all of them side by side, and"
                    + " lines, profiles and the text below show their mean.",
            "",
            "Examples:",
            "  heed view weights.npy --svg weights.svg",
            "  heed view model.npz --name attention --layer 3 --head 1 --tokens tokens.txt --png head.png",
            "  heed view bertviz.json --as lines --row 10 --dark --png it.png",
            "  heed view weights.npy --tokens tokens.txt --bertviz params.json"
        }) final class ViewCommand extends HeedCommand {
    private static final int MOST_PANELS = 1024;

    /** The kinds of picture. */
    enum Kind {
        heatmap,
        lines,
        profile
    }

    @Parameters(paramLabel = "FILE", description = "The weights.")
    private Path file = Path.of("");

    @Option(names = "--list", description = "List the tensors of the file and draw nothing.")
    private boolean list;

    @Option(names = "--name", paramLabel = "TENSOR", description = "The tensor to draw, if the file has several.")
    private @Nullable String name;

    @Option(names = "--layer", paramLabel = "L", description = "One layer; all by default.")
    private @Nullable Integer layer;

    @Option(names = "--head", paramLabel = "H", description = "One head; all by default.")
    private @Nullable Integer head;

    @Option(
            names = "--as",
            paramLabel = "KIND",
            defaultValue = "heatmap",
            description = "heatmap, lines, or profile, which is one row; ${DEFAULT-VALUE} by default.")
    private Kind kind = Kind.heatmap;

    @Option(
            names = "--row",
            paramLabel = "N",
            description = "The row of a profile, or the one row whose lines are drawn.")
    private @Nullable Integer row;

    @Option(names = "--stacked", description = "Draw lines from a sentence above to one below.")
    private boolean stacked;

    @Option(
            names = "--tokens",
            paramLabel = "FILE",
            description = "Labels of the rows, one per line; also of the columns, unless --columns is given.")
    private @Nullable Path tokens;

    @Option(names = "--columns", paramLabel = "FILE", description = "Labels of the columns, one per line.")
    private @Nullable Path columns;

    @Option(names = "--title", paramLabel = "TEXT", description = "The title above the picture.")
    private @Nullable String title;

    @Option(
            names = "--palette",
            paramLabel = "NAME",
            description = "Colours from weak to strong: ${COMPLETION-CANDIDATES}; viridis by default.")
    private Palette palette = Palette.VIRIDIS;

    @Option(names = "--dark", description = "Draw light ink on a dark background.")
    private boolean dark;

    @Option(names = "--max", description = "If several weights share a cell, show the largest instead of the mean.")
    private boolean max;

    @Option(names = "--svg", paramLabel = "FILE", description = "Write the picture as SVG.")
    private @Nullable Path svg;

    @Option(names = "--png", paramLabel = "FILE", description = "Write the picture as PNG.")
    private @Nullable Path png;

    @Option(
            names = "--scale",
            paramLabel = "N",
            defaultValue = "2",
            description = "Pixels of the PNG per pixel of the SVG; ${DEFAULT-VALUE} by default.")
    private int scale;

    @Option(names = "--text", description = "Print the picture even if it is written to a file.")
    private boolean text;

    @Option(names = "--bertviz", paramLabel = "FILE", description = "Write the weights as JSON for BertViz.")
    private @Nullable Path bertViz;

    public ViewCommand(CliEnvironment environment) {
        super(environment);
    }

    /** Weights {@code [layers, heads, queries, keys]} with their labels. */
    private record Weights(String name, Tensor tensor, List<String> rows, List<String> columns) {
        int layers() {
            return (int) tensor.size(0);
        }

        int heads() {
            return (int) tensor.size(1);
        }
    }

    @Override
    public Integer call() {
        WeightsFile read = WeightsFile.read(file);
        if (list) {
            printList(read);
            return OK;
        }
        Weights weights = weights(read.choose(name));
        requireIndex("layer", layer, weights.layers());
        requireIndex("head", head, weights.heads());
        requireIndex("row", row, (int) weights.tensor().size(2));
        Picture picture = picture(weights);
        write(weights, picture);
        if (asJson()) {
            printJson(read.kind(), weights);
        } else {
            if (text || svg == null && png == null && bertViz == null) {
                out().print(terminal(weights));
            }
            written().forEach(path -> out().println("written to " + VisibleText.of(path)));
        }
        return OK;
    }

    // ---------------------------------------------------------------- the picture

    private Weights weights(Map.Entry<String, Entry> chosen) {
        Tensor tensor = chosen.getValue().weights();
        while (tensor.rank() < 4) {
            tensor = tensor.unsqueeze(0);
        }
        List<String> rows = tokens == null ? chosen.getValue().rows() : lines(tokens);
        List<String> given = tokens == null ? chosen.getValue().columns() : rows;
        return new Weights(chosen.getKey(), tensor, rows, columns == null ? given : lines(columns));
    }

    private static List<String> lines(Path labels) {
        try {
            return Files.readAllLines(labels);
        } catch (IOException e) {
            throw new InvalidInputException(
                    "The labels cannot be read", "a text file in UTF-8", ErrorLine.file(e), "one label per line");
        }
    }

    private static void requireIndex(String what, @Nullable Integer index, int count) {
        if (index != null && (index < 0 || index >= count)) {
            throw new InvalidInputException(
                    "The weights have no such " + what,
                    what + "s 0 to " + (count - 1),
                    what + " " + index,
                    "--" + what + " " + (count - 1) + " is the last");
        }
    }

    private Picture picture(Weights weights) {
        return switch (kind) {
            case heatmap -> grid(weights);
            case lines -> lines(weights);
            case profile -> profile(weights);
        };
    }

    private LineView lines(Weights weights) {
        LineView lines = LineView.of(mean(weights))
                .title(titled(weights, layer, head, true))
                .axes("query", "key")
                .theme(theme())
                .pooling(pooling());
        lines = weights.rows().isEmpty() ? lines : lines.rows(weights.rows());
        lines = weights.columns().isEmpty() ? lines : lines.columns(weights.columns());
        lines = row == null ? lines : lines.focus(row);
        return stacked ? lines.stacked() : lines;
    }

    private Picture grid(Weights weights) {
        List<Integer> layers = chosen(layer, weights.layers());
        List<Integer> heads = chosen(head, weights.heads());
        if (layers.size() * heads.size() > MOST_PANELS) {
            throw new InvalidInputException(
                    "There are too many heads for one picture",
                    "at most " + MOST_PANELS,
                    layers.size() + " layers of " + heads.size() + " heads",
                    "--layer 0");
        }
        List<HeatMap> maps = new ArrayList<>();
        for (int l : layers) {
            for (int h : heads) {
                Tensor one = weights.tensor().select(0, l).select(0, h);
                String panel = layers.size() == 1 ? "head " + h : "layer " + l + ", head " + h;
                maps.add(dressed(HeatMap.of(one), weights).title(panel));
            }
        }
        if (maps.size() == 1) {
            return maps.getFirst().title(titled(weights, layer, head, false));
        }
        int perRow =
                layers.size() > 1 && heads.size() > 1 ? heads.size() : (int) Math.ceil(Math.sqrt(maps.size() * 1.5));
        return HeatMapGrid.of(maps).perRow(perRow).title(titled(weights, layer, head, false));
    }

    private HeatMap dressed(HeatMap map, Weights weights) {
        HeatMap labelled = weights.rows().isEmpty() ? map : map.rows(weights.rows());
        labelled = weights.columns().isEmpty() ? labelled : labelled.columns(weights.columns());
        return labelled.axes("query", "key").palette(palette).theme(theme()).pooling(pooling());
    }

    private WeightProfile profile(Weights weights) {
        int rows = (int) weights.tensor().size(2);
        if (row == null && rows > 1) {
            throw new InvalidInputException(
                    "A profile needs one row", "--row 0 to " + (rows - 1), "no --row", "--row " + (rows - 1));
        }
        int shown = row == null ? 0 : row;
        String of = weights.rows().isEmpty() ? "row " + shown : weights.rows().get(shown);
        WeightProfile profile = WeightProfile.of(mean(weights)[shown])
                .title(titled(weights, layer, head, true) + (rows == 1 ? "" : ": " + of))
                .axes("key", "weight")
                .theme(theme())
                .pooling(pooling());
        return weights.columns().isEmpty() ? profile : profile.labels(weights.columns());
    }

    private Theme theme() {
        return dark ? Theme.DARK : Theme.LIGHT;
    }

    private Pooling pooling() {
        return max ? Pooling.MAX : Pooling.MEAN;
    }

    private static List<Integer> chosen(@Nullable Integer one, int count) {
        return one != null ? List.of(one) : IntStream.range(0, count).boxed().toList();
    }

    /** {@return the mean of the chosen layers and heads, {@code [queries][keys]}} */
    private double[][] mean(Weights weights) {
        List<Integer> layers = chosen(layer, weights.layers());
        List<Integer> heads = chosen(head, weights.heads());
        int rows = (int) weights.tensor().size(2);
        int count = layers.size() * heads.size();
        double[][] mean = new double[rows][(int) weights.tensor().size(3)];
        for (int l : layers) {
            for (int h : heads) {
                Tensor one = weights.tensor().select(0, l).select(0, h);
                for (int r = 0; r < rows; r++) {
                    double[] values = one.select(0, r).toDoubleArray();
                    for (int c = 0; c < values.length; c++) {
                        mean[r][c] += values[c] / count;
                    }
                }
            }
        }
        return mean;
    }

    private String titled(Weights weights, @Nullable Integer l, @Nullable Integer h, boolean averaged) {
        if (title != null) {
            return title;
        }
        List<String> parts = new ArrayList<>(List.of(weights.name()));
        List<String> means = new ArrayList<>();
        if (l != null) {
            parts.add("layer " + l);
        } else if (weights.layers() > 1) {
            means.add(weights.layers() + " layers");
        }
        if (h != null) {
            parts.add("head " + h);
        } else if (weights.heads() > 1) {
            means.add(weights.heads() + " heads");
        }
        if (averaged && !means.isEmpty()) {
            parts.add("mean of " + String.join(" and ", means));
        }
        return String.join(", ", parts);
    }

    // ---------------------------------------------------------------- output

    private void write(Weights weights, Picture picture) {
        try {
            if (svg != null) {
                picture.svg(svg);
            }
            if (png != null) {
                picture.png(png, scale);
            }
            if (bertViz != null) {
                BertViz.write(bertViz, List.of(block(weights)));
            }
        } catch (IOException e) {
            throw new CommandFailure(
                    "The picture cannot be written, " + ErrorLine.file(e) + ". HINT: name another place", e);
        } catch (UnsupportedOperationException e) {
            throw new CommandFailure(String.valueOf(e.getMessage()), e);
        }
    }

    private static BertViz.Block block(Weights weights) {
        Tensor tensor = weights.tensor();
        return new BertViz.Block(
                null,
                tensor.type() == DType.F32 ? tensor : tensor.to(DType.F32),
                orNumbers(weights.rows(), tensor.size(2)),
                orNumbers(weights.columns(), tensor.size(3)));
    }

    private static List<String> orNumbers(List<String> labels, long count) {
        return labels.isEmpty()
                ? IntStream.range(0, (int) count).mapToObj(String::valueOf).toList()
                : labels;
    }

    private List<String> written() {
        List<String> paths = new ArrayList<>();
        for (Path path : Arrays.asList(svg, png, bertViz)) {
            if (path != null) {
                paths.add(path.toString());
            }
        }
        return paths;
    }

    private String terminal(Weights weights) {
        int width = environment().width();
        if (kind == Kind.profile) {
            return profile(weights).terminal(environment().colors(), width);
        }
        if (kind == Kind.lines) {
            return lines(weights).terminal(environment().colors(), width);
        }
        return dressed(HeatMap.of(mean(weights)), weights)
                .title(titled(weights, layer, head, true))
                .terminal(environment().colors(), width);
    }

    private void printList(WeightsFile read) {
        if (asJson()) {
            var root = new JsonObject();
            root.addProperty("kind", read.kind());
            root.add("tensors", JsonText.array(read.entries().entrySet(), entry -> {
                var json = new JsonObject();
                json.addProperty("name", entry.getKey());
                json.addProperty("type", entry.getValue().weights().type().label());
                json.add("shape", shape(entry.getValue().weights()));
                json.addProperty("drawable", WeightsFile.isDrawable(entry.getValue()));
                return json;
            }));
            print(root);
            return;
        }
        var table = new TextTable("tensor", "type", "shape");
        read.entries()
                .forEach((key, entry) -> table.row(
                        key,
                        entry.weights().type().label(),
                        Arrays.stream(entry.weights().shape())
                                .mapToObj(String::valueOf)
                                .collect(Collectors.joining(" x "))));
        table.print(out());
    }

    private static JsonArray shape(Tensor tensor) {
        return JsonText.array(Arrays.stream(tensor.shape()).boxed().toList(), JsonPrimitive::new);
    }

    private void printJson(String format, Weights weights) {
        var root = new JsonObject();
        root.addProperty("kind", format);
        root.addProperty("name", weights.name());
        root.add("shape", shape(weights.tensor()));
        root.addProperty("layer", layer);
        root.addProperty("head", head);
        double[][] mean = mean(weights);
        double largest = Double.NEGATIVE_INFINITY;
        int[] at = {0, 0};
        for (int r = 0; r < mean.length; r++) {
            for (int c = 0; c < mean[r].length; c++) {
                if (mean[r][c] > largest) {
                    largest = mean[r][c];
                    at = new int[] {r, c};
                }
            }
        }
        root.add("largest", JsonText.number(largest));
        root.addProperty("largestRow", at[0]);
        root.addProperty("largestColumn", at[1]);
        root.add("written", JsonText.texts(written()));
        print(root);
    }
}
