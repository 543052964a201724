/* Every kernel against its twin, over odd sizes, in buffers that end where the data end: for AddressSanitizer and UBSan to
 * watch (.ci/native). Sums in another order may differ by their rounding; everything else has the same bits. */
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

static void same(const char *what, const void *x, const void *y, int64_t count, size_t size) {
    checks++;
    if (memcmp(x, y, (size_t)count * size) != 0) {
        fprintf(stderr, "%s: other bits than the twin's\n", what);
        exit(1);
    }
}

/* Sums of depth products of numbers below 2. */
static void close_to(const char *what, const float *x, const float *y, int64_t count, int64_t depth) {
    checks++;
    float most = 4 * (float)(depth + 1) * 0x1p-23f * sqrtf((float)(depth + 1));
    for (int64_t i = 0; i < count; i++) {
        if (!(fabsf(x[i] - y[i]) <= most)) {
            fprintf(stderr, "%s: %g at %ld, twin %g\n", what, (double)x[i], (long)i, (double)y[i]);
            exit(1);
        }
    }
}

static void product(void) {
    int64_t lanes = 16 << between(0, 2);
    int64_t rows = between(1, 40), depth = between(1, 70), step = between(0, 1) ? 2 : 2 * rows;
    int64_t row = step == 2 ? depth + between(0, 3) : 2;
    int64_t last = (rows - 1) * row + (depth - 1) / 2 * step + (depth - 1) % 2;
    int64_t pairs = (depth + 1) / 2 * 2 * lanes, c_row = lanes + between(0, 3), at = between(0, 3);
    uint16_t *a = halves(at + last + 1, 0), *b = halves(at + pairs, 0);
    int64_t size = at + (rows - 1) * c_row + lanes;
    float *c = floats(size), *d = copy(c, size);
    int32_t onto = (int32_t)between(0, 1);
    heed_bf16_product(a, at, row, step, rows, b, at, lanes, depth, c, at, c_row, onto);
    heed_bf16_product_portable(a, at, row, step, rows, b, at, lanes, depth, d, at, c_row, onto);
    close_to("bf16_product", c, d, size, depth);
    free(a), free(b), free(c), free(d);
}

static void turn(void) {
    int64_t lanes = 16 << between(0, 2);
    int64_t count = between(1, lanes), depth = between(1, 70), row = depth + between(0, 5), at = between(0, 3);
    int64_t size = at + (depth + 1) / 2 * 2 * lanes;
    uint16_t *x = halves(at + (count - 1) * row + depth, 0), *y = halves(size, 0), *z = room(size, 2);
    memcpy(z, y, (size_t)size * 2);
    int32_t flip = (int32_t)between(0, 1);
    heed_bf16_turn(x, at, row, count, depth, flip, y, at, lanes);
    heed_bf16_turn_portable(x, at, row, count, depth, flip, z, at, lanes);
    same("bf16_turn", y, z, size, 2);
    free(x), free(y), free(z);
}

static void interleave(void) {
    int64_t count = between(1, 9), width = between(1, 70), row = width + between(0, 5), at = between(0, 3);
    int64_t to_row = 2 * width + between(0, 4), size = at + (count + 1) / 2 * to_row;
    uint16_t *x = halves(at + (count - 1) * row + width, 0), *y = halves(size, 0), *z = room(size, 2);
    memcpy(z, y, (size_t)size * 2);
    if (between(0, 1)) {
        x[at + between(0, count - 1) * row + between(0, width - 1)] = between(0, 1) ? 0x7f80 : 0xffc1;
    }
    int32_t finite[2] = {heed_bf16_interleave(x, at, row, count, width, y, at, to_row),
        heed_bf16_interleave_portable(x, at, row, count, width, z, at, to_row)};
    same("bf16_interleave", y, z, size, 2);
    same("bf16_interleave, finite", finite, finite + 1, 1, sizeof finite[0]);
    free(x), free(y), free(z);
}

static void pairs(void) {
    int64_t lanes = 16 << between(0, 2);
    int64_t count = between(1, 9), row = lanes + between(0, 3), at = between(0, 3);
    int64_t size = at + (count + 1) / 2 * 2 * lanes;
    float *x = floats(at + (count - 1) * row + lanes);
    uint16_t *y = halves(size, 0), *z = room(size, 2);
    memcpy(z, y, (size_t)size * 2);
    heed_bf16_pairs(x, at, row, count, y, at, lanes);
    heed_bf16_pairs_portable(x, at, row, count, z, at, lanes);
    same("bf16_pairs", y, z, size, 2);
    free(x), free(y), free(z);
}

static void widths(void) {
    int64_t count = between(1, 200), at = between(0, 3), size = at + count;
    uint16_t *x = room(size, 2);
    float *wide = floats(size), *twin = copy(wide, size);
    for (int64_t i = 0; i < size; i++) {
        x[i] = (uint16_t)draw();
    }
    heed_bf16_widen(x, at, count, wide, at);
    heed_bf16_widen_portable(x, at, count, twin, at);
    same("bf16_widen", wide, twin, size, 4);
    heed_f16_widen(x, at, count, wide, at);
    heed_f16_widen_portable(x, at, count, twin, at);
    same("f16_widen", wide, twin, size, 4);
    for (int64_t i = 0; i < size; i++) { /* every size of number, and around the limits of f16 */
        wide[i] = bits_to_float(between(0, 1) ? draw() : 0x32800000u + draw() % 0x15200000u);
    }
    uint16_t *y = halves(size, 0), *z = room(size, 2);
    memcpy(z, y, (size_t)size * 2);
    heed_bf16_narrow(wide, at, count, y, at);
    heed_bf16_narrow_portable(wide, at, count, z, at);
    same("bf16_narrow", y, z, size, 2);
    heed_f16_narrow(wide, at, count, y, at);
    heed_f16_narrow_portable(wide, at, count, z, at);
    same("f16_narrow", y, z, size, 2);
    int8_t *b = bytes(size);
    memcpy(twin, wide, (size_t)size * 4);
    heed_i8_widen(b, at, count, 0.37f, wide, at);
    heed_i8_widen_portable(b, at, count, 0.37f, twin, at);
    same("i8_widen", wide, twin, size, 4);
    free(x), free(y), free(z), free(b), free(wide), free(twin);
}

static void rows(void) {
    int64_t count = between(1, 19), depth = between(1, 150), rows = between(1, 5), at = between(0, 3);
    int64_t runs = between(0, 1) ? 4 : between(1, 3), row = depth + between(0, 3), leap = count * row + between(0, 5);
    int64_t last = at + (runs - 1) * leap + (count - 1) * row + depth, keys = runs * count, s_row = keys + between(0, 2);
    int64_t size = at + (rows - 1) * s_row + keys;
    float *s = floats(size), *t = copy(s, size);
    float *query = floats(at + rows * depth), *scales = floats(at + runs * count);
    uint16_t *narrow = halves(at + rows * depth, 0), *k = halves(last, 0), *f = halves(last, 1);
    heed_bf16_dots(narrow, at, depth, rows, k, at, row, leap, runs, count, depth, s, at, s_row);
    heed_bf16_dots_portable(narrow, at, depth, rows, k, at, row, leap, runs, count, depth, t, at, s_row);
    close_to("bf16_dots", s, t, size, depth);
    heed_f16_dots(query, at, depth, rows, f, at, row, leap, runs, count, depth, s, at, s_row);
    heed_f16_dots_portable(query, at, depth, rows, f, at, row, leap, runs, count, depth, t, at, s_row);
    close_to("f16_dots", s, t, size, depth);
    int8_t *limbs = bytes(at + rows * HEED_LIMBS * depth), *b = bytes(last);
    memcpy(t, s, (size_t)size * 4);
    heed_i8_dots(limbs, at, query, rows, b, at, row, leap, runs, count, depth, scales, at, 1, count, s, at, s_row);
    heed_i8_dots_portable(
        limbs, at, query, rows, b, at, row, leap, runs, count, depth, scales, at, 1, count, t, at, s_row);
    same("i8_dots", s, t, size, 4);

    int64_t c_row = depth + between(0, 3), sums = at + (rows - 1) * c_row + depth;
    float *w = floats(size), *c = floats(sums), *d = copy(c, sums);
    int32_t skip = (int32_t)between(0, 1);
    w[at + between(0, rows - 1) * s_row + between(0, keys - 1)] = 0;
    heed_bf16_pool(w, at, s_row, rows, k, at, row, leap, runs, count, depth, c, at, c_row, skip);
    heed_bf16_pool_portable(w, at, s_row, rows, k, at, row, leap, runs, count, depth, d, at, c_row, skip);
    same("bf16_pool", c, d, sums, 4);
    heed_f16_pool(w, at, s_row, rows, f, at, row, leap, runs, count, depth, c, at, c_row, skip);
    heed_f16_pool_portable(w, at, s_row, rows, f, at, row, leap, runs, count, depth, d, at, c_row, skip);
    same("f16_pool", c, d, sums, 4);
    heed_i8_pool(w, at, s_row, rows, b, at, row, leap, runs, count, depth, scales, at, 1, count, c, at, c_row, skip);
    heed_i8_pool_portable(
        w, at, s_row, rows, b, at, row, leap, runs, count, depth, scales, at, 1, count, d, at, c_row, skip);
    same("i8_pool", c, d, sums, 4);
    free(s), free(t), free(query), free(scales), free(narrow), free(k), free(f), free(limbs), free(b);
    free(w), free(c), free(d);
}

int main(int arguments, char **values) {
    long times = arguments > 1 ? atol(values[1]) : 2000;
    for (uint32_t half = 0; half < 0x10000; half++) { /* the twins against each other */
        float wide = f16_to_float((uint16_t)half);
        uint16_t back = float_to_f16(wide);
        if (back != half && !(isnan(wide) && back == (half | 0x200))) {
            fprintf(stderr, "f16 %04x becomes %04x\n", half, back);
            return 1;
        }
    }
    for (long n = 0; n < times; n++) {
        product(), turn(), interleave(), pairs(), widths(), rows();
    }
    printf("abi %d, features %ld, levels %ld, refused %ld: %ld checks\n", heed_abi(), (long)heed_features(),
        (long)heed_levels(), (long)heed_refused(), checks);
    return 0;
}
