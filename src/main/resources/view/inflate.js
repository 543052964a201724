// Inflate (RFC 1951, in a zlib wrapper, RFC 1950) for browsers without DecompressionStream.

const LENGTH_BASE = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
const DISTANCE_BITS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

function inflate(bytes) {
    let out = new Uint8Array(bytes.length * 4);
    let size = 0, at = 2, held = 0, bits = 0; // two bytes of header

    function take(count) {
        while (bits < count) {
            held |= bytes[at++] << bits;
            bits += 8;
        }
        const value = held & ((1 << count) - 1);
        held >>>= count;
        bits -= count;
        return value;
    }

    function room(count) {
        if (size + count <= out.length) return;
        const larger = new Uint8Array(Math.max(out.length * 2, size + count));
        larger.set(out.subarray(0, size));
        out = larger;
    }

    // Builds a canonical Huffman code: the number of codes of each length, and the symbols in the order of their codes.
    function code(lengths) {
        const counts = new Uint16Array(16), next = new Uint16Array(16), symbols = new Uint16Array(lengths.length);
        for (const length of lengths) counts[length]++;
        counts[0] = 0;
        for (let i = 1; i < 15; i++) next[i + 1] = next[i] + counts[i];
        lengths.forEach((length, symbol) => {
            if (length) symbols[next[length]++] = symbol;
        });
        return { counts, symbols };
    }

    function symbol(table) {
        let value = 0, first = 0, index = 0;
        for (let length = 1; length < 16; length++) {
            value |= take(1);
            const count = table.counts[length];
            if (value - count < first) return table.symbols[index + value - first];
            index += count;
            first = (first + count) << 1;
            value <<= 1;
        }
        throw new Error("the weights are damaged: no such code");
    }

    function stored() {
        held = bits = 0;
        const count = bytes[at] | bytes[at + 1] << 8;
        at += 4;
        room(count);
        out.set(bytes.subarray(at, at + count), size);
        at += count;
        size += count;
    }

    function block(literals, distances) {
        for (;;) {
            let value = symbol(literals);
            if (value === 256) return;
            room(258);
            if (value < 256) {
                out[size++] = value;
                continue;
            }
            value -= 257;
            const length = LENGTH_BASE[value] + take(LENGTH_BITS[value]);
            const far = symbol(distances);
            const distance = DISTANCE_BASE[far] + take(DISTANCE_BITS[far]);
            for (let i = 0; i < length; i++, size++) out[size] = out[size - distance];
        }
    }

    function fixed() {
        const lengths = Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8));
        block(code(lengths), code(new Array(30).fill(5)));
    }

    function dynamic() {
        const literals = take(5) + 257, distances = take(5) + 1, codes = take(4) + 4;
        const first = new Array(19).fill(0);
        for (let i = 0; i < codes; i++) first[CODE_LENGTH_ORDER[i]] = take(3);
        const table = code(first), lengths = [];
        while (lengths.length < literals + distances) {
            const value = symbol(table);
            if (value < 16) lengths.push(value);
            else {
                const [repeated, count] = value === 16 ? [lengths.at(-1), 3 + take(2)] : value === 17 ? [0, 3 + take(3)] : [0, 11 + take(7)];
                for (let i = 0; i < count; i++) lengths.push(repeated);
            }
        }
        block(code(lengths.slice(0, literals)), code(lengths.slice(literals)));
    }

    for (let last = 0; !last;) {
        last = take(1);
        [stored, fixed, dynamic][take(2)]();
    }
    return out.subarray(0, size);
}
