// The content of a state: the visible tokens and the matrices to draw, computed once for all pictures.

const MOST_EACH = 21; // maximum heads drawn separately: seven colours times three dash patterns

class Scenes {
    constructor(meta, heads) {
        this.meta = meta;
        this.heads = heads; // [layer][head]
        this.cache = new Map();
        this.tokens = { left: this.describe(meta.left, "q", meta.specialLeft), right: this.describe(meta.right, "k", meta.specialRight) };
    }

    describe(texts, side, special) {
        const { segments, self } = this.meta, hidden = new Set(special);
        return texts.map((token, at) => {
            const text = token === "" ? "(empty)" : token, label = cut(text, LONGEST_LABEL, 15);
            return {
                name: side + at, at, text, label, looks: side === "q", special: hidden.has(at),
                segment: self ? segments[at] ?? 0 : side === "q" ? 0 : 1, width: textWidth(label, 15, 600),
            };
        });
    }

    of(state) {
        const { meta } = this;
        const hiding = state.special !== "show";
        const options = {
            hiddenLeft: new Set(hiding ? meta.specialLeft : []),
            hiddenRight: new Set(hiding ? meta.specialRight : []),
            renormalise: state.special === "renorm",
            share: state.mass / 100,
        };
        const filter = `${state.special} ${state.mass}`;
        const seen = matrix => visible(matrix, options);
        const head = name => this.once(`head ${name} ${filter}`, () => seen(this.raw(name)));
        const cells = allCells(meta).filter(name => state.cells.has(name));
        const mixed = mix => {
            if (mix === "rollout") {
                const last = Math.max(...cells.map(name => Number(name.split(".")[0])));
                return this.once(`rollout ${last} ${filter}`, () => seen(rollout(this.heads, last)));
            }
            return cells.length === 1 ? head(cells[0]) : this.once(`${mix} ${cells} ${filter}`, () => seen(combine(cells.map(name => this.raw(name)), mix)));
        };
        const mix = state.mix === "rollout" && whyNoRollout(meta) ? "mean" : state.mix;
        const apart = mix === "each" && cells.length > 1;
        const drawn = apart ? cells.slice(0, MOST_EACH) : [];
        const ink = inks();
        const layers = apart
            ? drawn.map((name, i) => ({ matrix: head(name), name: this.headName(name), short: name.replace(".", " · "), ...headStyle(i, ink) }))
            : [{ matrix: mixed(mix === "each" ? "mean" : mix), name: "", short: "", colour: null, dash: null }];
        layers.forEach(layer => { layer.turned = () => (layer.turnedMatrix ??= transpose(layer.matrix)); });
        const shown = (tokens, hidden) => tokens.filter(token => !hidden.has(token.at)).map((token, position) => ({ ...token, position }));
        const left = shown(this.tokens.left, options.hiddenLeft), right = shown(this.tokens.right, options.hiddenRight);
        const byName = new Map([...left, ...right].map(token => [token.name, token]));
        return {
            left, right, layers, head,
            token: name => byName.get(name),
            coloured: !meta.self || meta.segments.length > 0,
            fromLabel: "attends from",
            toLabel: "attends to",
            max: Math.max(...layers.map(layer => layer.matrix.max)),
            single: () => (apart ? mixed("mean") : layers[0].matrix),
            maxOfAll: () => this.once(`max ${filter}`, () => Math.max(...allCells(meta).map(name => head(name).max))),
            layerName: l => meta.layers[l].name,
            name: this.selectionName(cells, mix, apart, drawn.length),
            cells,
        };
    }

    /** Caches computed matrices. The page itself is small, but its mixtures of heads are not. */
    once(key, make) {
        if (!this.cache.has(key)) {
            if (this.cache.size > 400) this.cache.clear();
            this.cache.set(key, make());
        }
        return this.cache.get(key);
    }

    raw(name) {
        const [l, h] = name.split(".");
        return this.heads[l][h];
    }

    headName(name) {
        const [l, h] = name.split(".");
        return this.heads[l].length === 1 ? this.meta.layers[l].name : `${this.meta.layers[l].name}, head ${h}`;
    }

    selectionName(cells, mix, apart, drawn) {
        if (mix === "rollout") {
            const last = Math.max(...cells.map(name => Number(name.split(".")[0])));
            return last === 0 ? `rollout of ${this.meta.layers[0].name}` : `rollout of ${this.meta.layers[0].name} to ${this.meta.layers[last].name}`;
        }
        if (cells.length === 1) return this.headName(cells[0]);
        const layers = [...new Set(cells.map(name => name.split(".")[0]))];
        const where = layers.length === 1 ? this.meta.layers[layers[0]].name : `${layers.length} layers`;
        if (apart) return drawn < cells.length ? `${where}, the first ${drawn} of ${cells.length} heads` : `${where}, ${cells.length} heads`;
        return `${where}, ${MIXES[mix === "each" ? "mean" : mix]} of ${cells.length} heads`;
    }
}

/** Returns the tokens whose lines are drawn: pinned ones and the one pointed at. */
function activeTokens(scene, state) {
    return new Set([...state.pins, state.hover].filter(name => name && scene.token(name)));
}

/** Returns the token whose weights are listed: the one pointed at, otherwise the last one pinned. */
function primaryToken(scene, state) {
    return [...activeTokens(scene, state)].at(-1) ?? null;
}

/** Returns the tokens linked to a token, the strongest first; with several heads the strongest weight counts. */
function strongestFrom(scene, name) {
    const { looks, at } = tokenOf(name), found = new Map();
    for (const layer of scene.layers) {
        for (const { key, weight } of rowOf(looks ? layer.matrix : layer.turned(), at)) {
            const other = (looks ? "k" : "q") + key;
            if (!found.has(other) || found.get(other).weight < weight) found.set(other, { name: other, token: scene.token(other), weight, layer });
        }
    }
    return [...found.values()].sort((a, b) => order(b.weight) - order(a.weight) || a.token.position - b.token.position);
}

function spokenToken(scene, token) {
    const others = strongestFrom(scene, token.name).slice(0, 3).map(entry => `${entry.token.text} ${number(entry.weight)}`);
    const tokens = token.looks ? scene.left : scene.right;
    return `${token.text}, word ${token.position + 1} of ${tokens.length}, ${token.looks ? "looks at" : "is looked at by"} ${others.join(", ") || "nothing"}`;
}

function spokenHead(scene, state, l, h, matrix) {
    const name = `${scene.layerName(l)}, head ${h}`;
    const main = primaryToken(scene, state);
    if (main === null || !tokenOf(main).looks) return name;
    const [first] = rowOf(matrix, tokenOf(main).at);
    return first ? `${name}: ${scene.token(main).text} looks most at ${scene.token("k" + first.key).text}, ${number(first.weight)}` : name;
}
