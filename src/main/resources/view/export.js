// Saves the visible picture as SVG, or as PNG at twice its size.

function pictureText(root) {
    const copy = root.cloneNode(true);
    for (const element of copy.querySelectorAll("*")) {
        for (const name of ["role", "tabindex", "aria-label", "aria-selected", "aria-pressed", "aria-setsize", "aria-posinset", "aria-multiselectable", "data-token", "data-box", "cursor"]) {
            element.removeAttribute(name);
        }
    }
    copy.removeAttribute("style");
    copy.setAttribute("role", "img");
    return new XMLSerializer().serializeToString(copy);
}

function fileName(meta, extension) {
    const words = meta.title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "").slice(0, 40).replace(/-+$/, "");
    return `${words || "attention"}.${extension}`;
}

function save(blob, name) {
    const link = html("a", { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function saveSvg(root, meta) {
    save(new Blob([pictureText(root)], { type: "image/svg+xml" }), fileName(meta, "svg"));
}

async function savePng(root, meta) {
    const image = new Image();
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(pictureText(root));
    await image.decode();
    const width = root.width.baseVal.value, height = root.height.baseVal.value;
    const scale = Math.min(2, 16000 / Math.max(width, height)); // browsers refuse larger canvases
    const canvas = html("canvas", { width: Math.round(width * scale), height: Math.round(height * scale) });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise(done => canvas.toBlob(done, "image/png"));
    save(blob, fileName(meta, "png"));
}
