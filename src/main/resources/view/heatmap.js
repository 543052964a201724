// The heat map: a row per query token, a column per key token, brighter where the weight is larger.

const MOST_CELLS = 700; // maximum rows and columns; more are tiled
const DRAWN_AS_SHAPES = 64 * 64; // maximum cells drawn as shapes; more are drawn as one image

function layMap(scene, wide) {
    const widest = tokens => Math.min(110, Math.max(20, ...tokens.map(token => token.width * 0.87)));
    const labelsLeft = widest(scene.left) + 14, labelsTop = widest(scene.right) + 14, bar = 74;
    const room = Math.max(200, Math.min(MOST_CELLS, wide - labelsLeft - bar - 12));
    const tile = Math.max(1, Math.ceil(Math.max(scene.left.length, scene.right.length) / room));
    const rows = Math.ceil(scene.left.length / tile), columns = Math.ceil(scene.right.length / tile);
    const cell = Math.max(1, Math.min(34, Math.floor(room / columns)));
    const x = labelsLeft + 8, y = labelsTop + 14;
    return {
        tile, rows, columns, cell, x, y,
        width: Math.max(x + cell * columns + bar, 360),
        height: y + Math.max(cell * rows, 120) + 62,
    };
}

/** Returns the largest weight of every tile, or NaN if the tile contains one; row-major. */
function tiles(scene, matrix, { tile, rows, columns }) {
    const cells = new Float32Array(rows * columns);
    const column = new Int32Array(matrix.columns).fill(-1);
    scene.right.forEach((token, j) => { column[token.at] = Math.floor(j / tile); });
    scene.left.forEach((token, i) => {
        const row = Math.floor(i / tile) * columns;
        for (let e = matrix.start[token.at]; e < matrix.start[token.at + 1]; e++) {
            const at = column[matrix.key[e]];
            if (at >= 0 && !(matrix.weight[e] <= cells[row + at])) cells[row + at] = matrix.weight[e];
        }
    });
    return cells;
}

/** Returns an image with one pixel per cell. */
function cellImage(cells, rows, columns, max, palette) {
    return imageOf(rows, columns, weight => Math.min(1, max > 0 ? weight / max : 0), cells, paletteBytes(palette));
}

/** Returns an image with one pixel per cell, where `position` maps a weight to a place in the palette. */
function imageOf(rows, columns, position, cells, bytes) {
    const canvas = document.createElement("canvas");
    canvas.width = columns;
    canvas.height = rows;
    const context = canvas.getContext("2d");
    const image = context.createImageData(columns, rows);
    for (let at = 0; at < cells.length; at++) {
        const gap = Number.isNaN(cells[at]);
        const from = gap ? 0 : 3 * Math.round(255 * position(cells[at]));
        for (let c = 0; c < 3; c++) image.data[4 * at + c] = gap ? 160 : bytes[from + c];
        image.data[4 * at + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    return canvas.toDataURL();
}

function drawMap(scene, state, layout, window, palette) {
    const ink = inks();
    const { x, y, cell, rows, columns, tile } = layout;
    const root = picture(window, `Heat map; ${scene.name}. Arrow keys move over the cells.`, ink);
    const cells = tiles(scene, scene.single(), layout);
    const pointed = state.cell && state.cell.row < rows && state.cell.column < columns ? state.cell : null;
    if (cells.length <= DRAWN_AS_SHAPES) {
        drawCells(root, scene, cells, layout, palette);
    } else {
        root.append(svg("image", {
            x, y, width: cell * columns, height: cell * rows, preserveAspectRatio: "none", "image-rendering": "pixelated",
            href: cellImage(cells, rows, columns, scene.max, palette),
        }));
    }
    drawLabels(root, scene, state, layout, pointed, ink);
    drawBar(root, scene, layout, palette, ink);
    if (pointed) {
        root.append(svg("rect", {
            x: x + cell * pointed.column - 1, y: y + cell * pointed.row - 1, width: cell + 2, height: cell + 2, fill: "none",
            stroke: ink.text, "stroke-width": 2.5, "data-pointed": "",
        }));
    }
    const under = y + cell * rows;
    root.append(svg("text", { x, y: under + 24, "font-size": 13.5, fill: pointed ? ink.text : ink.faint, "data-readout": "" },
        pointed ? readCell(scene, cells, layout, pointed) : `${scene.fromLabel}: rows · ${scene.toLabel}: columns`));
    root.append(svg("text", { x, y: under + 44, "font-size": 12, fill: ink.faint },
        scene.name + (tile > 1 ? ` · each cell is the largest of ${tile} × ${tile} weights` : "")));
    return root;
}

function drawCells(root, scene, cells, { x, y, cell, rows, columns }, palette) {
    const bytes = paletteBytes(palette), group = svg("g", { "shape-rendering": "crispEdges" });
    const hatch = svg("pattern", { id: "gap", width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
        svg("rect", { width: 5, height: 5, fill: "#f2f2f2" }), svg("rect", { width: 1.5, height: 5, fill: "#a0a0a0" }));
    root.append(svg("defs", {}, hatch));
    for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
            const weight = cells[row * columns + column];
            const from = 3 * Math.round(255 * Math.min(1, scene.max > 0 ? weight / scene.max : 0));
            group.append(svg("rect", {
                x: x + cell * column, y: y + cell * row, width: cell, height: cell,
                fill: Number.isNaN(weight) ? "url(#gap)" : `rgb(${bytes[from]},${bytes[from + 1]},${bytes[from + 2]})`,
                "data-row": scene.left[row].at, "data-column": scene.right[column].at, "data-weight": weight.toPrecision(6),
            }));
        }
    }
    root.append(group);
}

/** Draws as many labels as fit. */
function drawLabels(root, scene, state, { x, y, cell, rows, columns, tile }, pointed, ink) {
    const size = Math.max(9, Math.min(13, cell - 2)), step = cell >= 10 ? 1 : Math.ceil((size + 5) / cell);
    const group = svg("g", { "font-size": size });
    for (let row = 0; row < rows; row++) {
        const token = scene.left[row * tile], bold = pointed?.row === row || state.pins.has(token.name);
        if (row % step && !(bold && step > 1)) continue;
        if (step > 1 && pointed && pointed.row !== row && Math.abs(pointed.row - row) < step) continue;
        group.append(svg("text", {
            x: x - 8, y: y + cell * (row + 0.5) + size * 0.35, "text-anchor": "end", fill: bold ? ink.text : token.special ? ink.faint : ink.text,
            "font-weight": bold ? 700 : null, "unicode-bidi": "isolate",
        }, cut(token.text, 110, size)));
        if (scene.coloured) group.append(svg("rect", { x: x - 5, y: y + cell * row + 1, width: 3, height: Math.max(1, cell - 2), fill: segmentColour(scene, token, ink) }));
    }
    for (let column = 0; column < columns; column++) {
        const token = scene.right[column * tile], bold = pointed?.column === column;
        if (column % step && !(bold && step > 1)) continue;
        if (step > 1 && pointed && pointed.column !== column && Math.abs(pointed.column - column) < step) continue;
        const middle = x + cell * (column + 0.5) + size * 0.35;
        group.append(svg("text", {
            x: middle, y: y - 8, transform: `rotate(-90 ${middle} ${y - 8})`, fill: token.special && !bold ? ink.faint : ink.text,
            "font-weight": bold ? 700 : null, "unicode-bidi": "isolate",
        }, cut(token.text, 110, size)));
        if (scene.coloured) group.append(svg("rect", { x: x + cell * column + 1, y: y - 5, width: Math.max(1, cell - 2), height: 3, fill: segmentColour(scene, token, ink) }));
    }
    root.append(group);
}

function drawBar(root, scene, { x, y, cell, rows, columns }, palette, ink) {
    const left = x + cell * columns + 20, height = Math.max(80, Math.min(220, cell * rows));
    const gradient = svg("linearGradient", { id: "bar", x1: 0, y1: 1, x2: 0, y2: 0 });
    palette.stops.forEach((stop, i) => gradient.append(svg("stop", { offset: i / (palette.stops.length - 1), "stop-color": stop })));
    root.append(svg("defs", {}, gradient));
    root.append(svg("rect", { x: left, y, width: 12, height, rx: 2, fill: "url(#bar)" }));
    const group = svg("g", { "font-size": 12, fill: ink.faint, "font-variant-numeric": "tabular-nums" });
    for (const share of [0, 0.5, 1]) {
        group.append(svg("text", { x: left + 18, y: y + height * (1 - share) + 4 }, number(scene.max * share)));
    }
    root.append(group);
}

function readCell(scene, cells, { columns, tile }, { row, column }) {
    const weight = number(cells[row * columns + column]);
    const span = (tokens, at) => {
        const first = tokens[at * tile], last = tokens[Math.min(tokens.length, (at + 1) * tile) - 1];
        return first === last ? first.text : `${first.text} … ${last.text}`;
    };
    return `${span(scene.left, row)} → ${span(scene.right, column)}: ${weight}`;
}
