// The panel with the weights as numbers, next to the picture.

const LISTED = 10;

function showDetails(scene, state, act) {
    const panel = byId("details");
    panel.replaceChildren(html("h2", {}, "In numbers"));
    const names = [...activeTokens(scene, state)].reverse().slice(0, 4);
    if (!names.length) {
        panel.append(
            html("p", { class: "hint" }, state.view === "heads"
                ? "Click a head to open it. Words pinned in the line view are drawn here as lines in every head."
                : "Point at a word to see where it looks. Click it to keep its lines."),
            html("p", { class: "hint" }, scene.name + "."));
    }
    for (const name of names) panel.append(tokenDetails(scene, state, name, act));
    if (state.pins.size) {
        panel.append(html("button", { type: "button", id: "unpin", onclick: () => act.unpinAll() }, state.pins.size === 1 ? "Unpin" : "Unpin all"));
    }
}

function tokenDetails(scene, state, name, act) {
    const token = scene.token(name), { looks, at } = tokenOf(name);
    const entries = strongestFrom(scene, name);
    const section = html("section", { class: "word" },
        html("h3", {}, html("bdi", {}, token.text), html("span", { class: "faint" }, ` word ${token.at}${state.pins.has(name) ? ", pinned" : ""}`)),
        html("p", { class: "faint" }, looks ? "looks at" : "is looked at by"));
    const list = html("ol");
    const top = Math.max(scene.max, 1e-12);
    for (const { name: other, token: to, weight, layer } of entries.slice(0, LISTED)) {
        const bar = html("i");
        bar.style.width = `${Math.max(1, 100 * weight / top)}%`;
        if (layer.colour) bar.style.backgroundColor = layer.colour;
        list.append(html("li", {}, html("button", { type: "button", "data-go": other, title: `word ${to.at}: show it`, onclick: () => act.show(other) },
            bar, html("bdi", {}, to.text), html("b", {}, number(weight)))));
    }
    section.append(list);
    const rests = [];
    if (entries.length > LISTED) {
        rests.push(`${entries.length - LISTED} others ${number(entries.slice(LISTED).reduce((sum, entry) => sum + entry.weight, 0))}`);
    }
    if (looks && scene.layers.length === 1) {
        const { matrix } = scene.layers[0];
        if (matrix.small[at] > 5e-4) rests.push(`below the threshold ${number(matrix.small[at])}`);
        if (matrix.rest[at] > 5e-4) rests.push(`not in this file ${number(matrix.rest[at])}`);
    }
    if (rests.length) section.append(html("p", { class: "faint" }, rests.join(" · ")));
    return section;
}

/** Shows the share of the weights that the file contains, and their precision. */
function showKept(meta, heads) {
    const { mean, least, entries } = massKept(heads.flat());
    const count = new Intl.NumberFormat("en").format(entries);
    const kept = mean > 0.99995
        ? "All weights are here"
        : `The file contains ${percent(mean)} of each word's attention on average, at least ${percent(least)}: the largest weights of each row; the others are left out`;
    byId("kept").textContent = `${kept}. ${count} weights in 16 bits. A line's thickness is proportional to its weight.`;
}
