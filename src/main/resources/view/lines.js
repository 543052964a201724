// The line view: the query tokens, the key tokens, and a line for each pair. Thicker lines have larger weights.

const ROW = 28;
const LONGEST_LABEL = 170;
const MOST_LINES = 6000;

/** Computes the place of every token, downwards or across, and the size of the sheet. */
function layLines(scene, across, wide) {
    return across ? layAcross(scene, wide) : layDown(scene, wide);
}

function layDown(scene, wide) {
    const { left, right } = scene;
    const widest = tokens => Math.max(40, ...tokens.map(t => Math.min(LONGEST_LABEL, t.width)));
    const leftWidth = widest(left) + 26, rightWidth = widest(right) + 26, numbers = 58, top = 34;
    const margin = wide < 560 ? 6 : numbers; // on a phone the numbers of the left side appear only in the list
    const gap = Math.max(70, Math.min(440, wide - leftWidth - rightWidth - numbers - margin));
    const begin = margin + leftWidth, end = begin + gap;
    const places = new Map();
    left.forEach((token, i) => {
        const y = top + ROW * i + ROW / 2;
        places.set(token.name, { token, x: begin, y, box: [margin, y - ROW / 2 + 1, leftWidth, ROW - 2], textX: begin - 13, anchor: "end", numberX: margin - 8, numberY: y + 4.5, numberAnchor: "end" });
    });
    right.forEach((token, i) => {
        const y = top + ROW * i + ROW / 2;
        places.set(token.name, { token, x: end, y, box: [end, y - ROW / 2 + 1, rightWidth, ROW - 2], textX: end + 13, anchor: "start", numberX: end + rightWidth + 8, numberY: y + 4.5, numberAnchor: "start" });
    });
    const bottom = top + ROW * Math.max(left.length, right.length);
    return {
        across: false,
        scale: 1,
        places,
        width: end + rightWidth + numbers,
        height: bottom + 62,
        heads: [{ x: begin - 13, y: 20, anchor: "end" }, { x: end + 13, y: 20, anchor: "start" }],
        legend: { x: margin, y: bottom + 34 },
        curve: (a, b, aside) => `M${a.x} ${a.y + aside}C${(a.x + b.x) / 2} ${a.y + aside} ${(a.x + b.x) / 2} ${b.y + aside} ${b.x} ${b.y + aside}`,
    };
}

/** Lays out the tokens across. A text slightly wider than the window is scaled down; a longer text is scrolled. */
function layAcross(scene, wide) {
    const widthOf = token => Math.max(40, Math.min(LONGEST_LABEL, token.width) + 12);
    const natural = Math.max(...[scene.left, scene.right].map(tokens => tokens.reduce((sum, token) => sum + widthOf(token), 0)));
    const margin = 10, scale = natural + 2 * margin > wide ? Math.max(0.74, (wide - 2 * margin) / natural) : 1;
    const high = 30, first = 52, second = first + high + 250;
    const places = new Map();
    const put = (tokens, y, below) => {
        let x = margin;
        for (const token of tokens) {
            const width = widthOf(token) * scale;
            places.set(token.name, {
                token, x: x + width / 2, y: below ? y : y + high, box: [x + 1, y, width - 2, high], textX: x + width / 2, anchor: "middle",
                numberX: x + width / 2, numberY: below ? y + high + 18 : y - 8, numberAnchor: "middle",
            });
            x += width;
        }
    };
    put(scene.left, first, false);
    put(scene.right, second, true);
    return {
        across: true,
        scale,
        places,
        width: Math.max(natural * scale, 420) + 2 * margin,
        height: second + high + 92,
        heads: [{ x: margin + 4, y: 20, anchor: "start" }, { x: margin + 4, y: second + high + 44, anchor: "start" }],
        legend: { x: margin + 4, y: second + high + 68 },
        curve: (a, b, aside) => `M${a.x + aside} ${a.y}C${a.x + aside} ${(a.y + b.y) / 2} ${b.x + aside} ${(a.y + b.y) / 2} ${b.x + aside} ${b.y}`,
    };
}

/**
 * Returns the lines to draw: the lines of the active tokens, or all lines if there are none, weakest first, so that
 * strong lines are on top.
 */
function linesOf(scene, active, inWindow) {
    const lines = [];
    scene.layers.forEach((layer, n) => {
        const { matrix } = layer;
        const add = (i, e) => lines.push({ layer, n, from: i, to: matrix.key[e], weight: matrix.weight[e] });
        const wholeRow = i => {
            for (let e = matrix.start[i]; e < matrix.start[i + 1]; e++) if (inWindow(`k${matrix.key[e]}`)) add(i, e);
        };
        if (active.size === 0) {
            scene.left.forEach(token => {
                if (inWindow(token.name)) wholeRow(token.at);
            });
            return;
        }
        const rows = new Set([...active].map(tokenOf).filter(t => t.looks).map(t => t.at));
        rows.forEach(wholeRow);
        const turned = [...active].some(name => !tokenOf(name).looks) ? layer.turned() : null;
        for (const name of active) {
            const { looks, at } = tokenOf(name);
            if (looks) continue;
            for (let e = turned.start[at]; e < turned.start[at + 1]; e++) {
                if (!rows.has(turned.key[e]) && inWindow(`q${turned.key[e]}`)) lines.push({ layer, n, from: turned.key[e], to: at, weight: turned.weight[e] });
            }
        }
    });
    const drawn = lines.filter(line => line.weight > 0).sort((a, b) => a.weight - b.weight);
    return { lines: drawn.slice(-MOST_LINES), dropped: Math.max(0, drawn.length - MOST_LINES) };
}

/**
 * Moves the strongest linked words that fit into the window, in the order of the text, because on a partly visible
 * sheet they may be pages away.
 */
function gather(scene, state, layout, window) {
    const main = [...state.pins].filter(name => scene.token(name)).at(-1) ?? primaryToken(scene, state);
    if (main === null) return null;
    const { looks } = tokenOf(main), size = layout.across ? window.width : window.height;
    const names = [...activeTokens(scene, state)].filter(name => tokenOf(name).looks === looks);
    const found = new Map();
    names.flatMap(name => strongestFrom(scene, name)).sort((a, b) => b.weight - a.weight).forEach(entry => found.set(entry.name, entry.token));
    const places = new Map(layout.places);
    for (const token of looks ? scene.right : scene.left) places.delete(token.name);
    let room = size - (layout.across ? 24 : 92);
    const fitting = [];
    for (const token of found.values()) {
        room -= layout.across ? layout.places.get(token.name).box[2] + 2 : ROW;
        if (room < 0) break;
        fitting.push(token);
    }
    let at = layout.across ? window.x + 12 : window.y + 34;
    for (const token of fitting.sort((a, b) => a.position - b.position)) {
        const place = layout.places.get(token.name), [x, y, width, height] = place.box;
        const [dx, dy] = layout.across ? [at - x, 0] : [0, at - y];
        const moved = value => (value === undefined ? undefined : value + dx);
        places.set(token.name, { ...place, x: place.x + dx, y: place.y + dy, box: [x + dx, y + dy, width, height], textX: place.textX + dx, numberX: moved(place.numberX), numberY: place.numberY + dy });
        at += layout.across ? width + 2 : ROW;
    }
    return { places, words: `${fitting.length} of ${found.size} words ${looks ? "looked at" : "that look"}, gathered` };
}

function drawLines(scene, state, sheet, window, long) {
    const ink = inks();
    const root = picture(window, `Lines from words to the words they look at; ${scene.name}`, ink);
    const active = activeTokens(scene, state);
    const gathered = long ? gather(scene, state, sheet, window) : null;
    const layout = gathered ? { ...sheet, places: gathered.places } : sheet;
    const inWindow = name => {
        const place = layout.places.get(name);
        if (!place) return false;
        const at = layout.across ? place.x : place.y;
        const from = layout.across ? window.x : window.y, size = layout.across ? window.width : window.height;
        return at > from - 80 && at < from + size + 80;
    };
    const { lines, dropped } = linesOf(scene, active, inWindow);
    const strength = new Map(); // of the tokens linked to active tokens
    for (const line of lines) {
        for (const [name, other] of [[`k${line.to}`, `q${line.from}`], [`q${line.from}`, `k${line.to}`]]) {
            if (active.has(other)) strength.set(name, Math.max(strength.get(name) ?? 0, line.weight));
        }
    }
    const heads = long && !layout.across ? layout.heads.map(head => ({ ...head, y: window.y + 20 })) : layout.heads.map(head => ({ ...head, x: head.x + (layout.across ? window.x : 0) }));
    root.append(lineGroup(scene, lines, layout, ink));
    const main = primaryToken(scene, state);
    const numbers = main === null ? new Map() : new Map(strongestFrom(scene, main).map(entry => [entry.name, entry.weight]));
    for (const looks of [true, false]) {
        const group = svg("g", { role: "listbox", "aria-multiselectable": "true", "aria-label": looks ? scene.fromLabel : scene.toLabel });
        for (const token of looks ? scene.left : scene.right) {
            if (inWindow(token.name)) group.append(tokenMark(scene, state, layout, token, { ink, active, strength, numbers }));
        }
        root.append(group);
    }
    const legend = { ...layout.legend };
    if (long && layout.across) legend.x += window.x;
    if (long && !layout.across) {
        for (const [y, height] of [[window.y, 30], [window.y + window.height - 44, 44]]) {
            root.append(svg("rect", { x: window.x, y, width: window.width, height, fill: ink.paper }));
        }
        legend.y = window.y + window.height - 24;
    }
    drawHeads(root, scene, { heads }, ink);
    const said = [gathered?.words, long && !gathered ? "lines to words out of sight are not drawn" : "", dropped ? `the ${dropped} weakest lines are left out` : ""];
    drawLegend(root, scene, legend, ink, said.filter(words => words));
    return root;
}

function drawHeads(root, scene, layout, ink) {
    [scene.fromLabel, scene.toLabel].forEach((text, i) => {
        const { x, y, anchor } = layout.heads[i];
        root.append(svg("text", { x, y, "text-anchor": anchor, "font-size": 12.5, fill: ink.faint }, text));
    });
}

function lineGroup(scene, lines, layout, ink) {
    const group = svg("g", { fill: "none", "data-lines": lines.length });
    const apart = Math.min(6, 20 / scene.layers.length); // heads are drawn side by side, so that none hides another
    for (const line of lines) {
        const from = layout.places.get(`q${line.from}`), to = layout.places.get(`k${line.to}`);
        if (!from || !to) continue;
        group.append(svg("path", {
            d: layout.curve(from, to, (line.n - (scene.layers.length - 1) / 2) * apart),
            stroke: line.layer.colour ?? segmentColour(scene, from.token, ink),
            "stroke-width": lineWidth(line.weight, scene.max),
            "stroke-opacity": lineOpacity(line.weight, scene.max),
            "stroke-dasharray": line.layer.dash,
            "data-from": line.from,
            "data-to": line.to,
            "data-weight": line.weight.toPrecision(6),
        }, svg("title", {}, `${from.token.text} → ${to.token.text}: ${number(line.weight)}${scene.layers.length > 1 ? ` (${line.layer.name})` : ""}`)));
    }
    return group;
}

function segmentColour(scene, token, ink) {
    return ink.segments[(token.segment ?? 0) % ink.segments.length];
}

function tokenMark(scene, state, layout, token, { ink, active, strength, numbers }) {
    const place = layout.places.get(token.name);
    const pinned = state.pins.has(token.name), on = active.has(token.name);
    const reached = strength.get(token.name);
    const colour = segmentColour(scene, token, ink);
    const [x, y, width, height] = place.box;
    const mark = svg("g", {
        role: "option",
        id: `token-${token.name}`,
        "data-token": token.name,
        "aria-selected": String(pinned),
        "aria-setsize": token.looks ? scene.left.length : scene.right.length,
        "aria-posinset": token.position + 1,
        "aria-label": spokenToken(scene, token),
        tabindex: state.cursor === token.name ? 0 : -1,
        cursor: "pointer",
    });
    const fill = pinned ? colour : on || reached !== undefined ? colour : "transparent";
    const opacity = pinned ? 1 : on ? 0.24 : reached !== undefined ? 0.4 * Math.min(1, reached / scene.max) : 0;
    mark.append(svg("rect", { x, y, width, height, rx: 5, fill, "fill-opacity": opacity, "data-box": "" }));
    if (scene.coloured) { // a bar on the side of the lines shows the segment
        mark.append(layout.across
            ? svg("rect", { x: x + 6, y: token.looks ? y + height - 3 : y, width: width - 12, height: 3, rx: 1.5, fill: colour })
            : svg("rect", { x: token.looks ? x + width - 5 : x + 2, y: y + 4, width: 3, height: height - 8, rx: 1.5, fill: colour }));
    }
    const dim = active.size > 0 && !on && reached === undefined;
    const label = svg("text", {
        x: place.textX,
        y: layout.across ? y + height / 2 + 5 : place.y + 5,
        "text-anchor": place.anchor,
        "font-size": layout.scale < 1 ? 15 * layout.scale : null,
        fill: pinned ? ink.onAccent : dim || token.special ? ink.faint : ink.text,
        "font-weight": on ? 600 : null,
        "unicode-bidi": "isolate",
    }, token.label);
    if (token.label !== token.text) mark.append(svg("title", {}, token.text));
    mark.append(label);
    const weight = numbers.get(token.name);
    if (weight !== undefined) {
        mark.append(svg("text", {
            x: place.numberX,
            y: place.numberY,
            "text-anchor": place.numberAnchor,
            "font-size": 12.5 * Math.max(0.84, layout.scale),
            fill: weight < 0.02 * scene.max ? ink.faint : ink.text,
            "font-variant-numeric": "tabular-nums",
            "data-number": token.name,
        }, layout.across ? brief(weight) : number(weight)));
    }
    return mark;
}

/** Draws three lines with their weights as a key to the thickness. */
function drawLegend(root, scene, { x, y }, ink, said) {
    const group = svg("g", { "font-size": 12, fill: ink.faint });
    let at = x;
    if (scene.max > 0) {
        for (const share of [0.1, 0.5, 1]) {
            const weight = scene.max * share;
            group.append(svg("line", { x1: at, x2: at + 26, y1: y - 4, y2: y - 4, stroke: ink.text, "stroke-width": lineWidth(weight, scene.max), "stroke-opacity": lineOpacity(weight, scene.max) }));
            group.append(svg("text", { x: at + 32, y }, number(weight)));
            at += 82;
        }
    }
    const words = [scene.name, ...said];
    if (scene.max === 0) words.push("nothing to draw");
    group.append(svg("text", { x: at, y }, words.join(" · ")));
    if (scene.layers.length > 1) {
        at = x;
        const row = svg("g");
        for (const layer of scene.layers.slice(0, 12)) {
            row.append(svg("line", { x1: at, x2: at + 18, y1: y + 14, y2: y + 14, stroke: layer.colour, "stroke-width": 4, "stroke-dasharray": layer.dash }));
            row.append(svg("text", { x: at + 23, y: y + 18 }, layer.short));
            at += 64;
        }
        group.append(row);
    }
    root.append(group);
}
