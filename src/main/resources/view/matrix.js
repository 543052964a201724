// Sparse matrices of weights: { rows, columns, start, key, weight, rest }. Row i holds the entries start[i] to
// start[i + 1] - 1, in the order of their keys; rest[i] is the sum of the weights that the file leaves out.

/** Builds a matrix row by row. */
class MatrixBuilder {
    constructor(rows, columns, capacity) {
        this.matrix = { rows, columns, start: new Uint32Array(rows + 1), rest: new Float32Array(rows) };
        this.key = new Uint32Array(capacity);
        this.weight = new Float32Array(capacity);
        this.count = 0;
        this.row = 0;
    }

    add(key, weight) {
        if (this.count === this.key.length) {
            const key = new Uint32Array(2 * this.count + 16), weight = new Float32Array(2 * this.count + 16);
            key.set(this.key);
            weight.set(this.weight);
            this.key = key;
            this.weight = weight;
        }
        this.key[this.count] = key;
        this.weight[this.count++] = weight;
    }

    endRow(rest) {
        this.matrix.rest[this.row++] = rest;
        this.matrix.start[this.row] = this.count;
    }

    done() {
        return Object.assign(this.matrix, {
            key: this.key.subarray(0, this.count),
            weight: this.weight.subarray(0, this.count),
        });
    }
}

/** Returns the mean, maximum or sum of matrices of one shape. A missing entry counts as 0, and the rest includes it. */
function combine(matrices, mix) {
    if (matrices.length === 1) return matrices[0];
    const { rows, columns } = matrices[0];
    const factor = mix === "mean" ? 1 / matrices.length : 1;
    const sum = new Float64Array(columns), seen = new Uint8Array(columns);
    const out = new MatrixBuilder(rows, columns, matrices[0].key.length * 2);
    for (let i = 0; i < rows; i++) {
        const keys = [];
        let rest = 0;
        for (const m of matrices) {
            rest = mix === "max" ? Math.max(rest, m.rest[i]) : rest + m.rest[i] * factor;
            for (let e = m.start[i]; e < m.start[i + 1]; e++) {
                const k = m.key[e];
                if (!seen[k]) {
                    seen[k] = 1;
                    keys.push(k);
                }
                sum[k] = mix === "max" ? Math.max(sum[k], m.weight[e]) : sum[k] + m.weight[e] * factor;
            }
        }
        keys.sort((a, b) => a - b);
        for (const k of keys) {
            out.add(k, sum[k]);
            sum[k] = seen[k] = 0;
        }
        out.endRow(rest);
    }
    return out.done();
}

/** Returns the reason why rollout is unavailable for this text, or null. The product of layers is a dense matrix. */
function whyNoRollout(meta) {
    if (!meta.self) return "needs a text that looks at itself";
    return meta.left.length > 768 ? "for texts of up to 768 tokens" : null;
}

/**
 * Attention rollout (Abnar and Zuidema 2020): the product of (mean of the heads + identity) / 2 over the layers up to
 * `last`, with rows scaled to sum to 1.
 */
function rollout(layers, last) {
    const n = layers[0][0].rows;
    let product = null;
    for (let l = 0; l <= last; l++) {
        const mean = combine(layers[l], "mean");
        const next = new Float64Array(n * n);
        for (let i = 0; i < n; i++) {
            let sum = 0;
            for (let e = mean.start[i]; e < mean.start[i + 1]; e++) sum += mean.weight[e];
            const step = (k, weight) => {
                if (!product) next[i * n + k] += weight;
                else for (let j = 0; j < n; j++) next[i * n + j] += weight * product[k * n + j];
            };
            step(i, sum > 0 ? 0.5 : 1);
            for (let e = mean.start[i]; e < mean.start[i + 1]; e++) step(mean.key[e], 0.5 * mean.weight[e] / sum);
        }
        product = next;
    }
    const out = new MatrixBuilder(n, n, n * n);
    for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) if (product[i * n + j] !== 0) out.add(j, product[i * n + j]);
        out.endRow(0);
    }
    return out.done();
}

/**
 * Returns the entries to draw: without hidden tokens, and with rows scaled to sum to 1 if `renormalise` is set. Each
 * row keeps its largest weights up to `share` of its sum. `small` is the sum of the small weights dropped per row;
 * `max` is the largest weight.
 */
function visible(matrix, { hiddenLeft, hiddenRight, renormalise, share }) {
    const { rows, columns } = matrix;
    const out = new MatrixBuilder(rows, columns, matrix.key.length);
    const small = new Float32Array(rows);
    let max = 0;
    for (let i = 0; i < rows; i++) {
        if (hiddenLeft.has(i)) {
            out.endRow(0);
            continue;
        }
        const entries = [];
        let sum = 0;
        for (let e = matrix.start[i]; e < matrix.start[i + 1]; e++) {
            if (!hiddenRight.has(matrix.key[e])) {
                entries.push(e);
                sum += matrix.weight[e];
            }
        }
        const factor = renormalise && sum > 0 ? 1 / sum : 1;
        const rest = renormalise ? 0 : matrix.rest[i];
        const kept = share >= 1 ? entries : strongest(matrix.weight, entries, (sum * factor + rest) * share / factor);
        let shown = 0;
        for (const e of kept) {
            const weight = matrix.weight[e] * factor;
            out.add(matrix.key[e], weight);
            shown += weight;
            if (weight > max) max = weight;
        }
        small[i] = Math.max(0, sum * factor - shown);
        out.endRow(rest);
    }
    return Object.assign(out.done(), { small, max });
}

/** Returns the largest entries until they reach a sum, in their original order. */
function strongest(weights, entries, sum) {
    const sorted = [...entries].sort((a, b) => weights[b] - weights[a]);
    let reached = 0, count = 0;
    while (count < sorted.length && reached < sum - 1e-9) reached += weights[sorted[count++]];
    return sorted.slice(0, Math.max(1, count)).sort((a, b) => a - b);
}

/** Returns the transpose: the entries grouped by key. `rest` is 0 because the queries of omitted weights are unknown. */
function transpose(matrix) {
    const { rows, columns, key, weight } = matrix;
    const start = new Uint32Array(columns + 1);
    for (let e = 0; e < key.length; e++) start[key[e] + 1]++;
    for (let k = 0; k < columns; k++) start[k + 1] += start[k];
    const at = start.slice(), from = new Uint32Array(key.length), turned = new Float32Array(key.length);
    for (let i = 0; i < rows; i++) {
        for (let e = matrix.start[i]; e < matrix.start[i + 1]; e++) {
            const to = at[key[e]]++;
            from[to] = i;
            turned[to] = weight[e];
        }
    }
    return { rows: columns, columns: rows, start, key: from, weight: turned, rest: new Float32Array(columns) };
}

/** Returns the entries of a row as { key, weight }, the largest first. */
function rowOf(matrix, i) {
    const entries = [];
    for (let e = matrix.start[i]; e < matrix.start[i + 1]; e++) entries.push({ key: matrix.key[e], weight: matrix.weight[e] });
    return entries.sort((a, b) => order(b.weight) - order(a.weight) || a.key - b.key);
}

/** Sort key of a weight: NaN comes last. */
function order(weight) {
    return Number.isNaN(weight) ? -1 : weight;
}

/** Returns the mean and the minimum share of its weight that a row of these matrices kept. */
function massKept(matrices) {
    let sum = 0, count = 0, least = 1, entries = 0;
    for (const m of matrices) {
        entries += m.key.length;
        for (let i = 0; i < m.rows; i++) {
            let kept = 0;
            for (let e = m.start[i]; e < m.start[i + 1]; e++) kept += m.weight[e];
            const share = kept + m.rest[i] > 0 ? kept / (kept + m.rest[i]) : 1;
            sum += share;
            count++;
            if (share < least) least = share;
        }
    }
    return { mean: sum / count, least, entries };
}
