// The state of the page and its text in the address, so that a link restores it.

const VIEWS = { lines: "Lines", map: "Heat map", heads: "All heads" };
const MIXES = { mean: "mean", max: "maximum", sum: "sum", each: "one colour each", rollout: "rollout" };
const SPECIALS = { show: "shown", hide: "hidden", renorm: "hidden, the rest rescaled" };
const THEMES = ["auto", "light", "dark"];

function cellName(layer, head) {
    return `${layer}.${head}`;
}

function allCells(meta) {
    return meta.layers.flatMap((layer, l) => layerCells(meta, l));
}

function layerCells(meta, l) {
    return Array.from({ length: meta.layers[l].heads }, (_, h) => cellName(l, h));
}

/** Returns the initial state, which applies to everything that the address does not set. */
function openingState(meta) {
    const { layer, head, pinned } = meta.open;
    const l = layer < 0 ? meta.layers.length - 1 : layer;
    return {
        view: "lines",
        cells: new Set(head < 0 ? layerCells(meta, l) : [cellName(l, head)]),
        mix: "mean",
        mass: 100,
        special: "show",
        across: false,
        palette: 0,
        pins: new Set(pinned.map(i => `q${i}`)),
        theme: "auto",
    };
}

function toHash(state, meta) {
    const opening = openingState(meta), parts = [];
    const add = (name, value, usual) => {
        if (value !== usual) parts.push(`${name}=${value}`);
    };
    add("view", state.view, opening.view);
    add("heads", cellsText(state.cells, meta), cellsText(opening.cells, meta));
    add("mix", state.mix, opening.mix);
    add("mass", state.mass, opening.mass);
    add("special", state.special, opening.special);
    add("across", state.across ? 1 : 0, 0);
    add("colours", meta.palettes[state.palette].name, meta.palettes[0].name);
    add("pin", [...state.pins].join(","), [...opening.pins].join(","));
    add("theme", state.theme, opening.theme);
    return parts.length ? "#" + parts.join("&") : "";
}

/** Returns the text of chosen heads: "3" is the whole of layer 3, "3.1" is one head. */
function cellsText(cells, meta) {
    const parts = [];
    meta.layers.forEach((_, l) => {
        const chosen = layerCells(meta, l).filter(name => cells.has(name));
        if (chosen.length === meta.layers[l].heads && chosen.length > 1) parts.push(String(l));
        else parts.push(...chosen);
    });
    return parts.length > 1 && cells.size === allCells(meta).length ? "all" : parts.join(",");
}

/** Reads the state from an address and ignores invalid parts. */
function fromHash(hash, meta) {
    const state = openingState(meta);
    const given = new Map(hash.replace(/^#/, "").split("&").map(part => {
        const at = part.indexOf("=");
        return [part.slice(0, at), decoded(part.slice(at + 1))];
    }));
    const oneOf = (name, values) => (values.includes(given.get(name)) ? given.get(name) : state[name]);
    state.view = oneOf("view", Object.keys(VIEWS));
    state.mix = oneOf("mix", Object.keys(MIXES));
    state.special = oneOf("special", Object.keys(SPECIALS));
    state.theme = oneOf("theme", THEMES);
    state.across = given.get("across") === "1";
    const mass = Number(given.get("mass"));
    if (mass >= 5 && mass <= 100) state.mass = Math.round(mass);
    state.palette = Math.max(0, meta.palettes.findIndex(palette => palette.name === given.get("colours")));
    if (given.has("heads")) {
        const known = new Set(allCells(meta));
        const chosen = given.get("heads") === "all" ? [...known] : given.get("heads").split(",").flatMap(part =>
            known.has(part) ? [part] : /^\d+$/.test(part) && meta.layers[part] ? layerCells(meta, Number(part)) : []);
        if (chosen.length) state.cells = new Set(chosen);
    }
    if (given.has("pin")) {
        state.pins = new Set(given.get("pin").split(",").filter(pin => isToken(pin, meta)));
    }
    return state;
}

/** Decodes a text; invalid escapes are kept unchanged. */
function decoded(text) {
    try {
        return decodeURIComponent(text);
    } catch {
        return text;
    }
}

/** A token is named by its side, q (query) or k (key), and its index. */
function isToken(name, meta) {
    const found = /^([qk])(\d+)$/.exec(name);
    return found !== null && Number(found[2]) < (found[1] === "q" ? meta.left : meta.right).length;
}

function tokenOf(name) {
    return { looks: name[0] === "q", at: Number(name.slice(1)) };
}
