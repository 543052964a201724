// The controls next to the picture. They change the state with `change` and are updated by `showControls`.

const byId = id => document.getElementById(id);

function buildControls(meta, change) {
    byId("title").textContent = meta.title;
    byId("note").textContent = meta.note;
    byId("note").hidden = meta.note === "";
    buildHeads(meta, change);
    buildChoice("views", VIEWS, value => change({ view: value }));
    buildChoice("direction", { 0: "Down", 1: "Across" }, value => change({ across: value === "1" }));
    buildSelect("mix", MIXES, value => change({ mix: value }));
    const why = whyNoRollout(meta);
    if (why) {
        const option = byId("mix").querySelector("[value=rollout]");
        option.disabled = true;
        option.textContent += ` (${why})`;
    }
    buildSelect("special", SPECIALS, value => change({ special: value }));
    byId("special-section").hidden = meta.specialLeft.length + meta.specialRight.length === 0;
    buildSelect("palette", Object.fromEntries(meta.palettes.map((palette, i) => [i, palette.name])), value => change({ palette: Number(value) }));
    byId("mass").addEventListener("input", event => change({ mass: Number(event.target.value) }));
}

function buildSelect(id, options, chosen) {
    const select = byId(id);
    for (const [value, text] of Object.entries(options)) select.append(html("option", { value }, text));
    select.addEventListener("change", () => chosen(select.value));
}

/** A group of buttons with one pressed; arrow keys move between them, as in a group of radio buttons. */
function buildChoice(id, options, chosen) {
    const group = byId(id);
    for (const [value, text] of Object.entries(options)) {
        group.append(html("button", { type: "button", role: "radio", "data-value": value, onclick: () => chosen(value) }, text));
    }
    group.addEventListener("keydown", event => {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        const buttons = [...group.children], at = buttons.indexOf(document.activeElement);
        const next = buttons[(at + step + buttons.length) % buttons.length];
        next.focus();
        next.click();
    });
}

function showChoice(id, value) {
    for (const button of byId(id).children) {
        const on = button.dataset.value === value;
        button.setAttribute("aria-checked", String(on));
        button.tabIndex = on ? 0 : -1;
    }
}

/** Builds a button for each head, in rows of layers; the buttons at the edge choose a row or a column. */
function buildHeads(meta, change) {
    const columns = Math.max(...meta.layers.map(layer => layer.heads));
    const choose = (names, event) => change(state => {
        if (!event.shiftKey && !event.ctrlKey && !event.metaKey) return { cells: new Set(names) };
        const cells = new Set(state.cells);
        const all = names.every(name => cells.has(name));
        names.forEach(name => (all ? cells.delete(name) : cells.add(name)));
        return cells.size ? { cells } : {};
    });
    const button = (names, text, label, kind) => html("button", {
        type: "button", class: kind, "data-cells": names.join(","), title: label, "aria-label": label, tabindex: -1, onclick: event => choose(names, event),
    }, text);
    const table = html("div", { class: "heads", role: "group", "aria-labelledby": "heads-title" });
    table.style.gridTemplateColumns = `fit-content(84px) repeat(${columns}, minmax(0, 1fr))`;
    const wide = columns > 16;
    table.append(button(allCells(meta), "all", "all heads of all layers", "edge"));
    for (let h = 0; h < columns; h++) {
        const names = meta.layers.flatMap((layer, l) => (h < layer.heads ? [cellName(l, h)] : []));
        table.append(button(names, wide && h % 4 ? "" : String(h), `head ${h} of all layers`, "edge"));
    }
    meta.layers.forEach((layer, l) => {
        table.append(button(layerCells(meta, l), layer.name.replace(/^layer /, ""), `all heads of ${layer.name}`, "edge"));
        for (let h = 0; h < columns; h++) {
            table.append(h < layer.heads ? button([cellName(l, h)], "", `${layer.name}, head ${h}`, "cell") : html("span"));
        }
    });
    table.querySelector("button").tabIndex = 0;
    table.addEventListener("keydown", event => moveInTable(event, table, columns + 1));
    byId("heads").append(table);
}

function moveInTable(event, table, width) {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: width, ArrowUp: -width }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...table.children];
    const next = all[all.indexOf(document.activeElement) + step];
    if (!next || next.tagName !== "BUTTON") return;
    table.querySelector("[tabindex='0']").tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
}

function showControls(meta, state, scene) {
    showChoice("views", state.view);
    showChoice("direction", state.across ? "1" : "0");
    byId("direction-section").hidden = state.view !== "lines";
    byId("palette-section").hidden = state.view === "lines" || (state.view === "heads" && activeTokens(scene, state).size > 0);
    byId("mix").value = state.mix;
    byId("special").value = state.special;
    byId("palette").value = state.palette;
    byId("mass").value = state.mass;
    const text = state.mass === 100 ? "all" : `${state.mass} %`;
    byId("mass-text").textContent = text;
    byId("mass").setAttribute("aria-valuetext", state.mass === 100 ? "all weights" : `the largest weights that make up ${state.mass} percent of each word`);
    const colours = new Map(scene.layers.length > 1 ? scene.cells.map((name, i) => [name, scene.layers[i]?.colour]) : []);
    for (const button of document.querySelectorAll(".heads button")) {
        const names = button.dataset.cells.split(",");
        const on = names.every(name => state.cells.has(name));
        button.setAttribute("aria-pressed", String(on));
        if (button.className === "cell") button.style.backgroundColor = on ? colours.get(names[0]) ?? "" : "";
    }
}
