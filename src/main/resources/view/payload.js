// The data of the page: texts as JSON, weights as Base64 of a zlib stream. PageHead.java describes the bytes.

function readMeta() {
    const meta = JSON.parse(document.getElementById("meta").textContent);
    meta.self = meta.right === null;
    if (meta.self) meta.right = meta.left;
    return meta;
}

function fromBase64(text) {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
    return bytes;
}

async function unpack(bytes) {
    if (typeof DecompressionStream === "undefined") return inflate(bytes);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Returns the heads of all layers as sparse matrices. */
async function readWeights(meta) {
    const element = document.getElementById("weights");
    const bytes = await unpack(fromBase64(element.textContent.trim()));
    element.textContent = ""; // frees megabytes that are no longer needed
    const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    return meta.layers.map(layer => Array.from({ length: layer.heads }, () => {
        const head = readHead(bytes, data, at, meta.left.length, meta.right.length, layer.scale);
        at = head.end;
        return head.matrix;
    }));
}

function readHead(bytes, data, from, rows, columns, scale) {
    let at = from;
    const start = new Uint32Array(rows + 1);
    for (let i = 0; i < rows; i++, at += 2) start[i + 1] = start[i] + data.getUint16(at, true);
    const count = start[rows];
    const key = new Uint32Array(count);
    for (let i = 0; i < rows; i++) {
        let next = 0;
        for (let e = start[i]; e < start[i + 1]; e++) {
            let gap = 0, shift = 0, byte;
            do {
                byte = bytes[at++];
                gap |= (byte & 0x7F) << shift;
                shift += 7;
            } while (byte & 0x80);
            key[e] = next + gap;
            next = key[e] + 1;
        }
    }
    const weight = new Float32Array(count);
    for (let e = 0; e < count; e++) {
        const code = bytes[at + e] << 8 | bytes[at + count + e];
        weight[e] = code === 0xFFFF ? NaN : scale * (code / 65534) * (code / 65534);
    }
    at += 2 * count;
    const rest = new Float32Array(rows);
    for (let i = 0; i < rows; i++, at += 4) rest[i] = data.getFloat32(at, true);
    return { matrix: { rows, columns, start, key, weight, rest }, end: at };
}
