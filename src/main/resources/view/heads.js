// All heads at once: a small picture per head, layers downwards, heads across. Without an active word, a picture is a
// heat map, because lines would overlap in so small a space. For words pointed at or pinned, it shows their lines.

const LEAST_CELL = 1.5; // pixels per cell; smaller cells are pooled into tiles
const LEAST_SHARE = 0.02; // relative to the strongest weight; thinner lines are invisible
const BUCKETS = 10; // lines of similar strength share one path
const FRAME = 4;

function layHeads(meta, scene, wide) {
    const columns = Math.max(...meta.layers.map(layer => layer.heads));
    const names = Math.max(...meta.layers.map(layer => textWidth(layer.name, 12.5))) + 14;
    const size = Math.max(34, Math.min(180, Math.floor((wide - names - 8) / columns) - 8));
    const tile = Math.max(1, Math.ceil(Math.max(scene.left.length, scene.right.length) * LEAST_CELL / (size - 2 * FRAME)));
    return {
        columns, size, tile, x: names, y: 26, step: size + 8,
        width: Math.max(names + columns * (size + 8) + 4, names + 520), // room for the caption below
        height: 26 + meta.layers.length * (size + 8) + 68,
    };
}

function drawHeadGrid(scene, state, layout, window, palette, meta) {
    const ink = inks();
    const root = picture(window, "All heads. Arrow keys move, Enter shows one head.", ink);
    const active = activeTokens(scene, state);
    const max = scene.maxOfAll();
    const heading = svg("g", { "font-size": 12.5, fill: ink.faint });
    for (let h = 0; h < layout.columns; h++) heading.append(svg("text", { x: layout.x + layout.step * h + layout.size / 2, y: 17, "text-anchor": "middle" }, String(h)));
    meta.layers.forEach((layer, l) => heading.append(svg("text", { x: layout.x - 10, y: layout.y + layout.step * l + layout.size / 2 + 4, "text-anchor": "end" }, layer.name)));
    root.append(heading);
    meta.layers.forEach((layer, l) => {
        for (let h = 0; h < layer.heads; h++) root.append(thumbnail(scene, state, layout, { l, h, max, active, palette, ink }));
    });
    drawHeadsFoot(root, scene, layout, { max, active, palette, ink });
    return root;
}

/** Draws the caption: the scale of the small pictures and the weights they leave out. */
function drawHeadsFoot(root, scene, { x, tile, width, height }, { max, active, palette, ink }) {
    const group = svg("g", { "font-size": 12, fill: ink.faint, "data-said": "" });
    const say = (line, words, at = x) => group.append(svg("text", { x: at, y: height - 46 + 18 * line }, cut(words, width - at - 4, 12)));
    if (active.size) {
        say(0, `Lines of ${[...active].map(name => scene.token(name)?.text ?? "").join(", ")}.`);
        say(1, `One scale for all heads, strongest ${number(max)}; thickness in ten steps.`);
        say(2, `Weights below ${number(LEAST_SHARE * max)} are not drawn.`);
    } else {
        const bar = svg("linearGradient", { id: "scale" }), y = height - 56;
        palette.stops.forEach((stop, i) => bar.append(svg("stop", { offset: i / (palette.stops.length - 1), "stop-color": stop })));
        group.append(svg("defs", {}, bar), svg("rect", { x: x + 12, y, width: 120, height: 11, rx: 2, fill: "url(#scale)" }));
        say(0, "0");
        say(0, `${number(max)}; half-way ${number(max / 4)}, by the square root of the weight`, x + 138);
        say(1, "One scale for all heads. Rows look at columns.");
        const [rows, columns] = [scene.left, scene.right].map(tokens => Math.min(tile, tokens.length));
        say(2, tile > 1 ? `Each cell is the largest of ${rows} × ${columns} weights.` : "Each cell is one weight.");
    }
    root.append(group);
}

function thumbnail(scene, state, layout, { l, h, max, active, palette, ink }) {
    const name = cellName(l, h), matrix = scene.head(name);
    const x = layout.x + layout.step * h, y = layout.y + layout.step * l, { size } = layout;
    const chosen = state.cells.has(name);
    const group = svg("g", {
        role: "button", "data-cell": name, "aria-pressed": String(chosen), "aria-label": spokenHead(scene, state, l, h, matrix),
        tabindex: state.cellCursor === name ? 0 : -1, cursor: "pointer",
    });
    group.append(svg("rect", { x, y, width: size, height: size, rx: 4, fill: ink.paper, stroke: chosen ? ink.segments[0] : ink.rule, "stroke-width": chosen ? 2.5 : 1, "data-box": "" }));
    if (active.size) thumbnailLines(group, scene, matrix, { x, y, size, max, active, ink });
    else thumbnailMap(group, scene, matrix, { x, y, size, tile: layout.tile, max, palette });
    group.append(svg("title", {}, spokenHead(scene, state, l, h, matrix)));
    return group;
}

/** Fills the frame: self-attention is a square, and a single row is a strip thick enough to be visible. */
function thumbnailMap(group, scene, matrix, { x, y, size, tile, max, palette }) {
    const rows = Math.ceil(scene.left.length / tile), columns = Math.ceil(scene.right.length / tile);
    const room = size - 2 * FRAME, side = count => Math.max(room / 6, room * count / Math.max(rows, columns));
    const width = side(columns), height = side(rows);
    group.append(svg("image", {
        x: x + FRAME + (room - width) / 2, y: y + FRAME + (room - height) / 2, width, height,
        preserveAspectRatio: "none", "image-rendering": "pixelated",
        href: imageOf(rows, columns, weight => rootPosition(weight, max), tiles(scene, matrix, { tile, rows, columns }), paletteBytes(palette)),
    }));
}

/**
 * Most weights of most heads are small; square roots keep them distinguishable where the weights themselves would all
 * be dark.
 */
function rootPosition(weight, max) {
    return max > 0 ? Math.sqrt(Math.max(0, Math.min(1, weight / max))) : 0;
}

/** Draws lines as in the line view, with the tokens from top to bottom and the query tokens on the left. */
function thumbnailLines(group, scene, matrix, { x, y, size, max, active, ink }) {
    const place = (i, count) => y + 6 + (size - 12) * (count === 1 ? 0.5 : i / (count - 1));
    const column = new Map(scene.right.map((token, j) => [token.at, j]));
    const paths = new Map();
    scene.left.forEach((token, i) => {
        const rowOn = active.has(token.name);
        for (let e = matrix.start[token.at]; e < matrix.start[token.at + 1]; e++) {
            const key = matrix.key[e], share = matrix.weight[e] / max;
            if (!(share > LEAST_SHARE) || (!rowOn && !active.has(`k${key}`))) continue;
            const bucket = Math.min(BUCKETS - 1, Math.floor(share * BUCKETS));
            const colour = segmentColour(scene, token, ink), id = `${bucket} ${colour}`;
            const line = `M${(x + 7).toFixed(1)} ${place(i, scene.left.length).toFixed(1)}L${(x + size - 7).toFixed(1)} ${place(column.get(key), scene.right.length).toFixed(1)}`;
            paths.set(id, (paths.get(id) ?? "") + line);
        }
    });
    for (const [id, d] of [...paths].sort()) {
        const [bucket, colour] = id.split(" ");
        const share = (Number(bucket) + 0.5) / BUCKETS;
        group.append(svg("path", { d, fill: "none", stroke: colour, "stroke-width": size / 16 * share, "stroke-opacity": lineOpacity(share, 1) }));
    }
}
