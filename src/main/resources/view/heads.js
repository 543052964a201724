// All heads at once: a small picture for each, layers downwards, heads across.

const LINES_UP_TO = 48; // tokens; longer texts are drawn as small heat maps
const BUCKETS = 5; // lines of about one strength are one shape

function layHeads(meta, wide) {
    const columns = Math.max(...meta.layers.map(layer => layer.heads));
    const names = Math.max(...meta.layers.map(layer => textWidth(layer.name, 12.5))) + 14;
    const size = Math.max(34, Math.min(150, Math.floor((wide - names - 8) / columns) - 8));
    return {
        columns, size, x: names, y: 26, step: size + 8,
        width: names + columns * (size + 8) + 4,
        height: 26 + meta.layers.length * (size + 8) + 30,
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
    const chosen = active.size ? `lines of ${[...active].map(name => scene.token(name)?.text ?? "").join(", ")} · ` : "";
    root.append(svg("text", { x: layout.x, y: layout.height - 8, "font-size": 12, fill: ink.faint },
        `${chosen}all drawn to one scale, strongest ${number(max)}`));
    return root;
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
    if (Math.max(scene.left.length, scene.right.length) <= LINES_UP_TO) {
        thumbnailLines(group, scene, matrix, { x, y, size, max, active, ink });
    } else {
        const tile = Math.max(1, Math.ceil(Math.max(scene.left.length, scene.right.length) / size));
        const rows = Math.ceil(scene.left.length / tile), columns = Math.ceil(scene.right.length / tile);
        const cells = tiles(scene, matrix, { tile, rows, columns });
        group.append(svg("image", {
            x: x + 3, y: y + 3, width: size - 6, height: size - 6, preserveAspectRatio: "none",
            href: cellImage(cells, rows, columns, max, palette), "image-rendering": "pixelated",
        }));
    }
    group.append(svg("title", {}, `${scene.layerName(l)}, head ${h}`));
    return group;
}

/** As in the line view, the tokens stand one below the other, those that look on the left. */
function thumbnailLines(group, scene, matrix, { x, y, size, max, active, ink }) {
    const place = (i, count) => y + 6 + (size - 12) * (count === 1 ? 0.5 : i / (count - 1));
    const column = new Map(scene.right.map((token, j) => [token.at, j]));
    const paths = new Map();
    scene.left.forEach((token, i) => {
        const rowOn = active.size === 0 || active.has(token.name);
        for (let e = matrix.start[token.at]; e < matrix.start[token.at + 1]; e++) {
            const key = matrix.key[e], share = matrix.weight[e] / max;
            if (!(share > 0.02) || (!rowOn && !active.has(`k${key}`))) continue;
            const bucket = Math.min(BUCKETS - 1, Math.floor(share * BUCKETS));
            const colour = segmentColour(scene, token, ink), id = `${bucket} ${colour}`;
            const line = `M${(x + 7).toFixed(1)} ${place(i, scene.left.length).toFixed(1)}L${(x + size - 7).toFixed(1)} ${place(column.get(key), scene.right.length).toFixed(1)}`;
            paths.set(id, (paths.get(id) ?? "") + line);
        }
    });
    for (const [id, d] of [...paths].sort()) {
        const [bucket, colour] = id.split(" ");
        const share = (Number(bucket) + 0.5) / BUCKETS;
        group.append(svg("path", { d, fill: "none", stroke: colour, "stroke-width": 0.5 + 2.3 * share, "stroke-opacity": active.size ? lineOpacity(share, 1) : 0.08 + 0.85 * share }));
    }
}
