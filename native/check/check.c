/* Compares every kernel with its portable version, over random sizes, in buffers that end where the data end. .ci/native also
 * runs it under AddressSanitizer and UBSan. Results whose terms are added in another order may differ by rounding; all other
 * results must have the same bits. */
#include "../heed.h"
#include "../number.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t state = 20260101;

static uint32_t draw(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 32);
}

static int64_t between(int64_t low, int64_t high) { return low + draw() % (high - low + 1); }

static float number(void) { return (float)(int32_t)draw() * 0x1p-30f; }

static void *room(int64_t count, size_t size) {
    void *memory = malloc((size_t)(count > 0 ? count : 1) * size);
    if (!memory) {
        abort();
    }
    return memory;
}

static float *floats(int64_t count) {
    float *x = room(count, sizeof *x);
    for (int64_t i = 0; i < count; i++) {
        x[i] = number();
    }
    return x;
}

static float *copy(const float *x, int64_t count) {
    float *y = room(count, sizeof *y);
    memcpy(y, x, (size_t)count * sizeof *y);
    return y;
}

static uint16_t *halves(int64_t count, int f16) {
    uint16_t *x = room(count, sizeof *x);
    for (int64_t i = 0; i < count; i++) {
        x[i] = f16 ? float_to_f16(number()) : float_to_bf16(number());
    }
    return x;
}

static int8_t *bytes(int64_t count) {
    int8_t *x = room(count, sizeof *x);
    for (int64_t i = 0; i < count; i++) {
        x[i] = (int8_t)(draw() >> 24);
    }
    return x;
}

static long checks;

static void same(const char *name, const void *x, const void *y, int64_t count, size_t size) {
    checks++;
    if (memcmp(x, y, (size_t)count * size) != 0) {
        fprintf(stderr, "%s: the bits differ from the portable version\n", name);
        exit(1);
    }
}

/* Compares sums of depth products; the factors have magnitudes up to 2. */
static void close_to(const char *name, const float *x, const float *y, int64_t count, int64_t depth) {
    checks++;
    float tolerance = 4 * (float)(depth + 1) * 0x1p-23f * sqrtf((float)(depth + 1));
    for (int64_t i = 0; i < count; i++) {
        if (!(fabsf(x[i] - y[i]) <= tolerance)) {
            fprintf(stderr, "%s: %g at %ld, portable version %g\n", name, (double)x[i], (long)i, (double)y[i]);
            exit(1);
        }
    }
}

static void product(void) {
    int64_t lanes = 16 << between(0, 2);
    int64_t rows = between(1, 40), depth = between(1, 70), a_pair_stride = between(0, 1) ? 2 : 2 * rows;
    int64_t lda = a_pair_stride == 2 ? depth + between(0, 3) : 2;
    int64_t last = (rows - 1) * lda + (depth - 1) / 2 * a_pair_stride + (depth - 1) % 2;
    int64_t pairs = (depth + 1) / 2 * 2 * lanes, ldc = lanes + between(0, 3), offset = between(0, 3);
    uint16_t *a = halves(offset + last + 1, 0), *b = halves(offset + pairs, 0);
    int64_t size = offset + (rows - 1) * ldc + lanes;
    float *c = floats(size), *d = copy(c, size);
    int32_t accumulate = (int32_t)between(0, 1);
    heed_bf16_product(a, offset, lda, a_pair_stride, rows, b, offset, lanes, depth, c, offset, ldc, accumulate);
    heed_bf16_product_portable(a, offset, lda, a_pair_stride, rows, b, offset, lanes, depth, d, offset, ldc,
        accumulate);
    close_to("bf16_product", c, d, size, depth);
    free(a), free(b), free(c), free(d);
}

static void transpose(void) {
    int64_t lanes = 16 << between(0, 2);
    int64_t count = between(1, lanes), depth = between(1, 70), ld_rows = depth + between(0, 5), offset = between(0, 3);
    int64_t size = offset + (depth + 1) / 2 * 2 * lanes;
    uint16_t *x = halves(offset + (count - 1) * ld_rows + depth, 0), *y = halves(size, 0), *z = room(size, 2);
    memcpy(z, y, (size_t)size * 2);
    int32_t negate = (int32_t)between(0, 1);
    heed_bf16_transpose(x, offset, ld_rows, count, depth, negate, y, offset, lanes);
    heed_bf16_transpose_portable(x, offset, ld_rows, count, depth, negate, z, offset, lanes);
    same("bf16_transpose", y, z, size, 2);
    free(x), free(y), free(z);
}

static void interleave(void) {
    int64_t count = between(1, 9), width = between(1, 70), ld_rows = width + between(0, 5), offset = between(0, 3);
    int64_t ld_to = 2 * width + between(0, 4), size = offset + (count + 1) / 2 * ld_to;
    uint16_t *x = halves(offset + (count - 1) * ld_rows + width, 0), *y = halves(size, 0), *z = room(size, 2);
    memcpy(z, y, (size_t)size * 2);
    if (between(0, 1)) {
        x[offset + between(0, count - 1) * ld_rows + between(0, width - 1)] = between(0, 1) ? 0x7f80 : 0xffc1;
    }
    int32_t finite[2] = {heed_bf16_interleave(x, offset, ld_rows, count, width, y, offset, ld_to),
        heed_bf16_interleave_portable(x, offset, ld_rows, count, width, z, offset, ld_to)};
    same("bf16_interleave", y, z, size, 2);
    same("bf16_interleave, finite", finite, finite + 1, 1, sizeof finite[0]);
    free(x), free(y), free(z);
}

static void pairs(void) {
    int64_t lanes = 16 << between(0, 2);
    int64_t count = between(1, 9), ld_tile = lanes + between(0, 3), offset = between(0, 3);
    int64_t size = offset + (count + 1) / 2 * 2 * lanes;
    float *x = floats(offset + (count - 1) * ld_tile + lanes);
    uint16_t *y = halves(size, 0), *z = room(size, 2);
    memcpy(z, y, (size_t)size * 2);
    heed_bf16_pairs(x, offset, ld_tile, count, y, offset, lanes);
    heed_bf16_pairs_portable(x, offset, ld_tile, count, z, offset, lanes);
    same("bf16_pairs", y, z, size, 2);
    free(x), free(y), free(z);
}

static void widths(void) {
    int64_t count = between(1, 200), offset = between(0, 3), size = offset + count;
    uint16_t *x = room(size, 2);
    float *wide = floats(size), *portable = copy(wide, size);
    for (int64_t i = 0; i < size; i++) {
        x[i] = (uint16_t)draw();
    }
    heed_bf16_widen(x, offset, count, wide, offset);
    heed_bf16_widen_portable(x, offset, count, portable, offset);
    same("bf16_widen", wide, portable, size, 4);
    heed_f16_widen(x, offset, count, wide, offset);
    heed_f16_widen_portable(x, offset, count, portable, offset);
    same("f16_widen", wide, portable, size, 4);
    for (int64_t i = 0; i < size; i++) { /* any bits, or values from 2^-26 to 81920: slightly more than the range of f16 */
        wide[i] = bits_to_float(between(0, 1) ? draw() : 0x32800000u + draw() % 0x15200000u);
    }
    uint16_t *y = halves(size, 0), *z = room(size, 2);
    memcpy(z, y, (size_t)size * 2);
    int64_t rows = between(1, 4), width = count / rows, ld = rows == 1 ? 0 : (count - width) / (rows - 1);
    heed_bf16_narrow(wide, offset, ld, rows, width, y, offset, ld);
    heed_bf16_narrow_portable(wide, offset, ld, rows, width, z, offset, ld);
    same("bf16_narrow", y, z, size, 2);
    heed_f16_narrow(wide, offset, count, y, offset);
    heed_f16_narrow_portable(wide, offset, count, z, offset);
    same("f16_narrow", y, z, size, 2);
    int8_t *b = bytes(size);
    memcpy(portable, wide, (size_t)size * 4);
    heed_i8_widen(b, offset, count, 0.37f, wide, offset);
    heed_i8_widen_portable(b, offset, count, 0.37f, portable, offset);
    same("i8_widen", wide, portable, size, 4);
    free(x), free(y), free(z), free(b), free(wide), free(portable);
}

static void rows(void) {
    int64_t count = between(1, 19), depth = between(1, 150), rows = between(1, 5), offset = between(0, 3);
    int64_t runs = between(0, 1) ? 4 : between(1, 3), ldk = depth + between(0, 3),
        run_stride = count * ldk + between(0, 5);
    int64_t last = offset + (runs - 1) * run_stride + (count - 1) * ldk + depth, keys = runs * count,
        lds = keys + between(0, 2);
    int64_t size = offset + (rows - 1) * lds + keys;
    float *s = floats(size), *t = copy(s, size);
    float *query = floats(offset + rows * depth), *scales = floats(offset + runs * count);
    uint16_t *narrow = halves(offset + rows * depth, 0), *k = halves(last, 0), *f = halves(last, 1);
    heed_bf16_dots(narrow, offset, depth, rows, k, offset, ldk, run_stride, runs, count, depth, s, offset, lds);
    heed_bf16_dots_portable(narrow, offset, depth, rows, k, offset, ldk, run_stride, runs, count, depth, t, offset,
        lds);
    close_to("bf16_dots", s, t, size, depth);
    heed_f16_dots(query, offset, depth, rows, f, offset, ldk, run_stride, runs, count, depth, s, offset, lds);
    heed_f16_dots_portable(query, offset, depth, rows, f, offset, ldk, run_stride, runs, count, depth, t, offset, lds);
    close_to("f16_dots", s, t, size, depth);
    int8_t *limbs = bytes(offset + rows * HEED_LIMBS * depth), *b = bytes(last);
    memcpy(t, s, (size_t)size * 4);
    heed_i8_dots(limbs, offset, query, rows, b, offset, ldk, run_stride, runs, count, depth, scales, offset, 1, count,
        s, offset, lds);
    heed_i8_dots_portable(limbs, offset, query, rows, b, offset, ldk, run_stride, runs, count, depth, scales, offset, 1,
        count, t, offset, lds);
    same("i8_dots", s, t, size, 4);

    int64_t ldc = depth + between(0, 3), sums = offset + (rows - 1) * ldc + depth;
    float *w = floats(size), *c = floats(sums), *d = copy(c, sums);
    int32_t skip = (int32_t)between(0, 1);
    w[offset + between(0, rows - 1) * lds + between(0, keys - 1)] = 0;
    heed_bf16_pool(w, offset, lds, rows, k, offset, ldk, run_stride, runs, count, depth, c, offset, ldc, skip);
    heed_bf16_pool_portable(w, offset, lds, rows, k, offset, ldk, run_stride, runs, count, depth, d, offset, ldc, skip);
    same("bf16_pool", c, d, sums, 4);
    heed_f16_pool(w, offset, lds, rows, f, offset, ldk, run_stride, runs, count, depth, c, offset, ldc, skip);
    heed_f16_pool_portable(w, offset, lds, rows, f, offset, ldk, run_stride, runs, count, depth, d, offset, ldc, skip);
    same("f16_pool", c, d, sums, 4);
    heed_i8_pool(w, offset, lds, rows, b, offset, ldk, run_stride, runs, count, depth, scales, offset, 1, count, c,
        offset, ldc, skip);
    heed_i8_pool_portable(w, offset, lds, rows, b, offset, ldk, run_stride, runs, count, depth, scales, offset, 1,
        count, d, offset, ldc, skip);
    same("i8_pool", c, d, sums, 4);
    free(s), free(t), free(query), free(scales), free(narrow), free(k), free(f), free(limbs), free(b);
    free(w), free(c), free(d);
}

int main(int arguments, char **values) {
    long times = arguments > 1 ? atol(values[1]) : 2000;
    for (uint32_t half = 0; half < 0x10000; half++) { /* f16 to f32 and back gives the same bits, but NaN becomes quiet */
        float wide = f16_to_float((uint16_t)half);
        uint16_t back = float_to_f16(wide);
        if (back != half && !(isnan(wide) && back == (half | 0x200))) {
            fprintf(stderr, "f16 %04x becomes %04x\n", half, back);
            return 1;
        }
    }
    for (long n = 0; n < times; n++) {
        product(), transpose(), interleave(), pairs(), widths(), rows();
    }
    printf("abi %d, features %ld, levels %ld, refused %ld: %ld checks\n", heed_abi(), (long)heed_features(),
        (long)heed_levels(), (long)heed_refused(), checks);
    return 0;
}
