// The page: holds the state, draws it, and turns user input into changes of the state.

const LONG_SHEET = 2600; // pixels; of longer sheets only the visible part is drawn

class Page {
    constructor(meta, heads) {
        this.meta = meta;
        this.scenes = new Scenes(meta, heads);
        this.heads = heads;
        this.state = this.ready(fromHash(location.hash, meta));
        this.stage = byId("stage");
        this.sheet = byId("sheet");
    }

    /** Adds the state that exists only while the page is open: the positions of the pointer and the keyboard. */
    ready(state) {
        return Object.assign(state, { hover: null, cursor: [...state.pins][0] ?? "q0", cell: null, cellCursor: [...state.cells][0] });
    }

    start() {
        buildControls(this.meta, update => this.change(update));
        showKept(this.meta, this.heads);
        byId("svg").addEventListener("click", () => saveSvg(this.sheet.firstElementChild, this.meta));
        byId("png").addEventListener("click", () => savePng(this.sheet.firstElementChild, this.meta));
        byId("theme").addEventListener("click", () => this.change({ theme: inks().dark ? "light" : "dark" }));
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.render());
        addEventListener("hashchange", () => {
            if (this.hash() !== location.hash) {
                this.state = this.ready(fromHash(location.hash, this.meta));
                this.render();
            }
        });
        new ResizeObserver(() => this.resized()).observe(this.stage);
        this.stage.addEventListener("scroll", () => this.soon(() => this.draw()));
        this.sheet.addEventListener("pointermove", event => this.point(event));
        this.sheet.addEventListener("pointerleave", () => this.hover(null, null));
        // The picture may be redrawn between press and release, and a removed element never receives its click.
        this.sheet.addEventListener("pointerdown", event => { this.pressed = event.button === 0 ? this.thingAt(event) : ""; });
        this.sheet.addEventListener("pointerup", event => {
            const thing = this.thingAt(event);
            if (thing !== "" && thing === this.pressed) this.clicked(thing, event);
            this.pressed = "";
        });
        this.sheet.addEventListener("click", event => {
            if (event.detail === 0) this.clicked(this.thingAt(event), event); // a click from a screen reader
        });
        this.sheet.addEventListener("keydown", event => this.key(event));
        this.sheet.addEventListener("focusin", event => this.focused(event.target));
        this.sheet.addEventListener("focusout", () => {
            if (!this.drawing) this.hover(null, this.state.cell);
        });
        addEventListener("keydown", event => {
            if (event.key === "Escape" && !event.defaultPrevented) this.unpinAll();
        });
        this.render();
    }

    // ------------------------------------------------------------ state

    hash() {
        return toHash(this.state, this.meta);
    }

    /** Changes the state, by an object of fields or a function that returns one, and announces the new view. */
    change(update) {
        const before = this.state.view;
        Object.assign(this.state, typeof update === "function" ? update(this.state) : update);
        if (this.state.view !== before) this.state.cell = null;
        this.render();
        const { mass, special, view } = this.state;
        this.say([VIEWS[view], this.scene.name, mass === 100 ? "" : `top ${mass} percent`, special === "show" ? "" : `special tokens ${SPECIALS[special]}`]);
    }

    say(parts) {
        byId("live").textContent = parts.filter(part => part).join(", ");
    }

    unpinAll() {
        this.state.pins = new Set();
        this.state.hover = null;
        this.render();
        this.say(["nothing pinned"]);
    }

    togglePin(name) {
        const { pins } = this.state;
        if (!pins.delete(name)) pins.add(name);
        this.render();
        this.say([`${this.scene.token(name).text} ${pins.has(name) ? "pinned" : "let go"}`]);
    }

    // ------------------------------------------------------------ drawing

    render() {
        const { theme } = this.state, dark = matchMedia("(prefers-color-scheme: dark)").matches;
        document.documentElement.dataset.theme = theme === "auto" ? (dark ? "dark" : "light") : theme;
        byId("theme").textContent = inks().dark ? "Light" : "Dark";
        this.scene = this.scenes.of(this.state);
        if (!this.scene.token(this.state.cursor)) this.state.cursor = this.scene.left[0]?.name ?? null;
        showControls(this.meta, this.state, this.scene);
        document.documentElement.dataset.view = this.state.view; // before the stage is measured, because its width depends on the view
        this.lay();
        this.draw();
        const hash = this.hash();
        if (hash !== location.hash) history.replaceState(null, "", location.href.split("#")[0] + hash);
    }

    lay() {
        const { view, across } = this.state, wide = this.wide = this.stage.clientWidth;
        this.layout = view === "lines" ? layLines(this.scene, across, wide) : view === "map" ? layMap(this.scene, wide) : layHeads(this.meta, this.scene, wide);
        this.long = view === "lines" && (across ? this.layout.width : this.layout.height) > LONG_SHEET;
        this.stage.classList.toggle("long", this.long);
        this.sheet.style.width = `${this.layout.width}px`;
        this.sheet.style.height = `${this.layout.height}px`;
    }

    /** Returns the part of the sheet that is drawn. */
    window() {
        const { width, height } = this.layout;
        if (!this.long) return { x: 0, y: 0, width, height };
        const x = Math.min(this.stage.scrollLeft, Math.max(0, width - this.stage.clientWidth));
        const y = Math.min(this.stage.scrollTop, Math.max(0, height - this.stage.clientHeight));
        return { x, y, width: Math.min(width, this.stage.clientWidth), height: Math.min(height, this.stage.clientHeight) };
    }

    draw() {
        const { scene, state, layout } = this, window = this.window(), palette = this.meta.palettes[state.palette];
        const root = state.view === "lines" ? drawLines(scene, state, layout, window, this.long)
            : state.view === "map" ? drawMap(scene, state, layout, window, palette)
            : drawHeadGrid(scene, state, layout, window, palette, this.meta);
        if (state.view === "map") root.setAttribute("tabindex", "0");
        root.style.left = `${window.x}px`;
        root.style.top = `${window.y}px`;
        const held = this.sheet.contains(document.activeElement);
        this.drawing = true;
        this.sheet.replaceChildren(root);
        if (held) this.focusCursor();
        this.drawing = false;
        showDetails(scene, state, { unpinAll: () => this.unpinAll(), show: name => this.show(name) });
    }

    /** Runs the work once before the next frame, however often it is requested. */
    soon(work) {
        if (this.waiting) return;
        this.waiting = true;
        requestAnimationFrame(() => {
            this.waiting = false;
            work();
        });
    }

    resized() {
        if (this.wide !== this.stage.clientWidth) this.soon(() => this.render());
        else if (this.long) this.soon(() => this.draw());
    }

    // ------------------------------------------------------------ pointer

    point(event) {
        const token = event.target.closest("[data-token]")?.dataset.token ?? null;
        this.hover(token, this.state.view === "map" ? this.cellAt(event) : null);
    }

    cellAt(event) {
        const box = this.sheet.getBoundingClientRect(), { x, y, cell, rows, columns } = this.layout;
        const row = Math.floor((event.clientY - box.top - y) / cell), column = Math.floor((event.clientX - box.left - x) / cell);
        return row >= 0 && row < rows && column >= 0 && column < columns ? { row, column } : null;
    }

    hover(token, cell) {
        const { state } = this;
        if (state.hover === token && state.cell?.row === cell?.row && state.cell?.column === cell?.column) return;
        state.hover = token ?? (cell ? this.scene.left[cell.row * this.layout.tile].name : null);
        state.cell = cell;
        this.soon(() => this.draw());
    }

    /** Returns the name of the element under the pointer: "token q3", "head 2.1", "row 5", or an empty text. */
    thingAt(event) {
        const { token } = event.target.closest("[data-token]")?.dataset ?? {}, { cell } = event.target.closest("[data-cell]")?.dataset ?? {};
        if (token) return `token ${token}`;
        if (cell) return `head ${cell}`;
        const at = this.state.view === "map" ? this.cellAt(event) : null;
        return at ? `row ${this.scene.left[at.row * this.layout.tile].at}` : "";
    }

    clicked(thing, event) {
        const [kind, name] = thing.split(" ");
        if (kind === "token") this.togglePin(name);
        else if (kind === "head") this.openHead(name, event.shiftKey || event.ctrlKey || event.metaKey);
        else if (kind === "row") this.togglePin(`q${name}`);
    }

    openHead(name, more) {
        if (!more) return this.change({ cells: new Set([name]), view: "lines" });
        const cells = new Set(this.state.cells);
        if (!cells.delete(name)) cells.add(name);
        return this.change(cells.size ? { cells } : {});
    }

    // ------------------------------------------------------------ keyboard

    focused(target) {
        if (this.drawing || !target.matches(":focus-visible")) return;
        const token = target.closest("[data-token]")?.dataset.token, head = target.closest("[data-cell]")?.dataset.cell;
        if (token) {
            this.state.cursor = token;
            this.hover(token, null);
        } else if (head) {
            this.state.cellCursor = head;
        }
    }

    focusCursor() {
        const { view, cursor, cellCursor } = this.state;
        const element = view === "lines" ? this.sheet.querySelector(`[data-token="${cursor}"]`)
            : view === "heads" ? this.sheet.querySelector(`[data-cell="${cellCursor}"]`) : this.sheet.firstElementChild;
        element?.focus({ preventScroll: true });
    }

    key(event) {
        const { view } = this.state;
        const done = view === "lines" ? this.keyInLines(event) : view === "map" ? this.keyInMap(event) : this.keyInHeads(event);
        if (done) event.preventDefault();
    }

    keyInLines(event) {
        const { state, scene } = this, { looks } = tokenOf(state.cursor);
        if (event.key === "Enter" || event.key === " ") {
            this.togglePin(state.cursor);
            return true;
        }
        const along = state.across ? { ArrowRight: 1, ArrowLeft: -1 } : { ArrowDown: 1, ArrowUp: -1 };
        const over = state.across ? { ArrowUp: true, ArrowDown: false } : { ArrowLeft: true, ArrowRight: false };
        const side = looks ? scene.left : scene.right, at = scene.token(state.cursor).position;
        let next;
        if (event.key in along) next = side[at + along[event.key]];
        else if (event.key === "Home") next = side[0];
        else if (event.key === "End") next = side.at(-1);
        else if (event.key in over) {
            const other = over[event.key] ? scene.left : scene.right;
            next = other[Math.min(at, other.length - 1)];
        } else return false;
        if (next) {
            state.cursor = state.hover = next.name;
            this.scrollTo(next.name);
            this.draw();
            this.focusCursor();
        }
        return true;
    }

    keyInMap(event) {
        const { state, layout } = this;
        const [down, right] = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key] ?? [0, 0];
        const enter = event.key === "Enter" || event.key === " ";
        if (enter && state.cell) this.togglePin(this.scene.left[state.cell.row * layout.tile].name);
        if (!down && !right) return enter;
        const { row, column } = state.cell ?? { row: down ? -1 : 0, column: right ? -1 : 0 };
        const clamp = (value, count) => Math.max(0, Math.min(count - 1, value));
        this.hover(null, { row: clamp(row + down, layout.rows), column: clamp(column + right, layout.columns) });
        this.soonSay();
        return true;
    }

    soonSay() {
        requestAnimationFrame(() => this.say([this.sheet.querySelector("[data-readout]")?.textContent]));
    }

    keyInHeads(event) {
        const { state, meta } = this;
        const [l, h] = state.cellCursor.split(".").map(Number);
        if (event.key === "Enter" || event.key === " ") {
            this.openHead(state.cellCursor, event.key === " " || event.shiftKey);
            return true;
        }
        const [down, right] = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key] ?? [0, 0];
        if (!down && !right) return false;
        const layer = Math.max(0, Math.min(meta.layers.length - 1, l + down));
        state.cellCursor = cellName(layer, Math.max(0, Math.min(meta.layers[layer].heads - 1, h + right)));
        this.draw();
        this.focusCursor();
        return true;
    }

    /** Brings a token into the window without changing the active tokens. */
    show(name) {
        this.state.cursor = name;
        this.scrollTo(name);
        this.draw();
        if (this.state.view === "lines") this.sheet.querySelector(`[data-token="${name}"]`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
    }

    scrollTo(name) {
        if (!this.long || this.state.view !== "lines") return;
        const { x, y } = this.layout.places.get(name), { stage } = this, margin = 60;
        if (this.state.across) {
            if (x < stage.scrollLeft + margin || x > stage.scrollLeft + stage.clientWidth - margin) stage.scrollLeft = x - stage.clientWidth / 2;
        } else if (y < stage.scrollTop + margin || y > stage.scrollTop + stage.clientHeight - margin) {
            stage.scrollTop = y - stage.clientHeight / 2;
        }
    }
}

async function open() {
    try {
        const meta = readMeta();
        new Page(meta, await readWeights(meta)).start();
        document.documentElement.dataset.ready = Math.round(performance.now());
    } catch (error) {
        byId("stage").textContent = `The page cannot be drawn: ${error.message}`;
        throw error;
    }
}

open();
