// Drawing. Each picture is one SVG element with explicit colours and fonts, so that a saved picture does not depend on
// the style sheet.

const FONT = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', Arial, sans-serif";

function svg(tag, attributes = {}, ...children) {
    return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function html(tag, attributes = {}, ...children) {
    return filled(document.createElement(tag), attributes, children);
}

function filled(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
        if (value === null || value === undefined || value === false) continue;
        if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
        else element.setAttribute(name, typeof value === "number" && !Number.isInteger(value) ? +value.toFixed(3) : value);
    }
    element.append(...children.filter(child => child !== null)); // strings become text, never markup
    return element;
}

/** Returns the colours of the theme from the style sheet. */
function inks() {
    const style = getComputedStyle(document.documentElement);
    const ink = name => style.getPropertyValue("--" + name).trim();
    return {
        paper: ink("paper"),
        text: ink("text"),
        faint: ink("faint"),
        rule: ink("rule"),
        onAccent: ink("on-accent"),
        dark: ink("is-dark") === "1",
        segments: [ink("segment-0"), ink("segment-1"), ink("segment-2"), ink("segment-3")],
        heads: Array.from({ length: 7 }, (_, i) => ink("head-" + i)),
    };
}

/** Okabe and Ito's colours are distinguishable with every kind of colour vision; beyond seven heads, the dashes differ too. */
function headStyle(i, ink) {
    return { colour: ink.heads[i % ink.heads.length], dash: [null, "6 3", "2 3"][Math.floor(i / ink.heads.length) % 3] };
}

const measuring = document.createElement("canvas").getContext("2d");

function textWidth(text, size, weight = 400) {
    measuring.font = `${weight} ${size}px ${FONT}`;
    return measuring.measureText(text).width;
}

/** Cuts a label to a width, by whole characters. */
function cut(text, width, size) {
    if (textWidth(text, size) <= width) return text;
    const parts = typeof Intl !== "undefined" && Intl.Segmenter
        ? [...new Intl.Segmenter().segment(text)].map(s => s.segment)
        : [...text];
    let low = 0, high = parts.length;
    while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (textWidth(parts.slice(0, middle).join("") + "…", size) <= width) low = middle;
        else high = middle - 1;
    }
    return parts.slice(0, low).join("") + "…";
}

/** Formats a weight with its significant digits: 0.677, 0.012, 0.0004. */
function number(weight) {
    if (Number.isNaN(weight)) return "NaN";
    if (weight === 0) return "0";
    if (weight >= 0.0095) return weight >= 99.95 ? weight.toFixed(0) : weight.toFixed(3);
    return weight >= 0.00095 ? weight.toFixed(4) : weight.toPrecision(1).replace(/^(\d)e-(\d+)$/, "$1e−$2");
}

/** Formats a weight in four characters, for narrow words. */
function brief(weight) {
    return weight < 0.005 ? "<.01" : weight < 9.995 ? weight.toFixed(2) : String(Math.round(weight));
}

function percent(share) {
    const text = (100 * share).toFixed(share >= 0.9995 || share < 0.1 ? 1 : 0);
    return (share < 1 && text === "100.0" ? "over 99.9" : text.replace(/\.0$/, "")) + " %";
}

/**
 * Pixels of the strongest line. Thickness is linear in the weight: a line twice as thick has twice the weight, anywhere
 * in the picture.
 */
const THICKEST = 9;

function lineWidth(weight, max) {
    return Math.max(0.15, THICKEST * weight / max);
}

function lineOpacity(weight, max) {
    return 0.18 + 0.72 * Math.sqrt(Math.min(1, weight / max));
}

/** Returns 256 colours of a palette from weak to strong, with three bytes each. */
function paletteBytes(palette) {
    const bytes = new Uint8Array(256 * 3);
    const stops = palette.stops.map(stop => [1, 3, 5].map(at => parseInt(stop.slice(at, at + 2), 16)));
    for (let i = 0; i < 256; i++) {
        const at = i / 255 * (stops.length - 1), below = Math.floor(at), above = Math.min(below + 1, stops.length - 1);
        for (let c = 0; c < 3; c++) bytes[3 * i + c] = Math.round(stops[below][c] + (stops[above][c] - stops[below][c]) * (at - below));
    }
    return bytes;
}

/** Returns the root element of a picture, which shows a window of a sheet that may be larger. */
function picture(window, label, ink) {
    const root = svg("svg", {
        xmlns: "http://www.w3.org/2000/svg",
        width: window.width,
        height: window.height,
        viewBox: `${window.x} ${window.y} ${window.width} ${window.height}`,
        "font-family": FONT,
        "font-size": 15,
        fill: ink.text,
        role: "group",
        "aria-label": label,
    });
    root.append(svg("rect", { x: window.x, y: window.y, width: window.width, height: window.height, fill: ink.paper, "data-paper": "" }));
    return root;
}
