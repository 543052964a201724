/* Which kernel runs: decided once, when the library is loaded, by what the processor and the system have and by what each level
 * computes there. */
#include "kernels.h"

#if defined(__x86_64__)
#define DECLARE(result, name, parameters) result heed_##name##_avx512 parameters;
HEED_FUNCTIONS(DECLARE)
#undef DECLARE
#define DECLARE(result, name, parameters) result heed_##name##_amx parameters;
HEED_FUNCTIONS(DECLARE)
#undef DECLARE
#elif defined(__aarch64__)
#define DECLARE(result, name, parameters)                                                                              \
    result heed_##name##_neon parameters;                                                                              \
    result heed_##name##_armbf16 parameters;                                                                           \
    result heed_##name##_armi8mm parameters;
HEED_FUNCTIONS(DECLARE)
#undef DECLARE
#endif

#define SLOT(result, name, parameters) .name = heed_##name##_portable,
static const struct kernels portable = {HEED_FUNCTIONS(SLOT)};
static struct kernels chosen = {HEED_FUNCTIONS(SLOT)};
#undef SLOT

static int64_t features, levels, refused;

int32_t heed_abi(void) { return HEED_ABI; }

int64_t heed_features(void) { return features; }

int64_t heed_levels(void) { return levels; }

int64_t heed_refused(void) { return refused; }

/* A level is taken if it agrees with the twins; otherwise what was there before stays. */
__attribute__((unused)) static void take(int64_t level, const struct kernels *with, int64_t brings) {
    if (heed_agree(with, &portable)) {
        chosen = *with;
        levels |= level;
        features |= brings;
    } else {
        refused |= level;
    }
}

__attribute__((constructor)) static void choose(void) {
    int64_t has = heed_processor();
    struct kernels with;
    (void)has;
    (void)with;
#if defined(__x86_64__)
    if (has & HEED_AVX512) {
        with = chosen; /* every processor with AVX-512 widens and narrows f16 with it */
        with.bf16_turn = heed_bf16_turn_avx512;
        with.bf16_interleave = heed_bf16_interleave_avx512;
        with.bf16_widen = heed_bf16_widen_avx512;
        with.f16_widen = heed_f16_widen_avx512;
        with.i8_widen = heed_i8_widen_avx512;
        with.bf16_narrow = heed_bf16_narrow_avx512;
        with.f16_narrow = heed_f16_narrow_avx512;
        with.bf16_pool = heed_bf16_pool_avx512;
        with.f16_dots = heed_f16_dots_avx512;
        with.f16_pool = heed_f16_pool_avx512;
        with.i8_pool = heed_i8_pool_avx512;
        take(HEED_AVX512, &with, HEED_F16_ROWS | HEED_WIDTHS);
    }
    if (has & HEED_AVX512_BF16) {
        with = chosen;
        with.bf16_product = heed_bf16_product_avx512;
        with.bf16_pairs = heed_bf16_pairs_avx512;
        with.bf16_dots = heed_bf16_dots_avx512;
        take(HEED_AVX512_BF16, &with, HEED_BF16_PRODUCT | HEED_BF16_ROWS);
    }
    if (has & HEED_AVX512_VNNI) {
        with = chosen;
        with.i8_dots = heed_i8_dots_avx512;
        take(HEED_AVX512_VNNI, &with, HEED_I8_ROWS);
    }
    if (has & HEED_AMX_BF16) {
        with = chosen;
        with.bf16_product = heed_bf16_product_amx;
        take(HEED_AMX_BF16, &with, HEED_BF16_PRODUCT);
    }
#elif defined(__aarch64__)
    with = chosen;
    with.bf16_turn = heed_bf16_turn_neon;
    with.bf16_interleave = heed_bf16_interleave_neon;
    with.bf16_pairs = heed_bf16_pairs_neon;
    with.bf16_widen = heed_bf16_widen_neon;
    with.f16_widen = heed_f16_widen_neon;
    with.i8_widen = heed_i8_widen_neon;
    with.bf16_narrow = heed_bf16_narrow_neon;
    with.f16_narrow = heed_f16_narrow_neon;
    with.bf16_pool = heed_bf16_pool_neon;
    with.f16_dots = heed_f16_dots_neon;
    with.f16_pool = heed_f16_pool_neon;
    with.i8_pool = heed_i8_pool_neon;
    take(HEED_NEON, &with, HEED_F16_ROWS | HEED_WIDTHS);
    if (has & HEED_ARM_BF16) {
        with = chosen;
        with.bf16_product = heed_bf16_product_armbf16;
        with.bf16_dots = heed_bf16_dots_armbf16;
        take(HEED_ARM_BF16, &with, HEED_BF16_PRODUCT | HEED_BF16_ROWS);
    }
    if (has & HEED_ARM_I8MM) {
        with = chosen;
        with.i8_dots = heed_i8_dots_armi8mm;
        take(HEED_ARM_I8MM, &with, HEED_I8_ROWS);
    }
#endif
}

void heed_bf16_product(const uint16_t *a, int64_t a_at, int64_t a_row, int64_t a_step, int64_t rows, const uint16_t *b,
    int64_t b_at, int64_t lanes, int64_t depth, float *c, int64_t c_at, int64_t c_row, int32_t onto) {
    chosen.bf16_product(a, a_at, a_row, a_step, rows, b, b_at, lanes, depth, c, c_at, c_row, onto);
}

void heed_bf16_turn(const uint16_t *rows, int64_t at, int64_t row, int64_t count, int64_t depth, int32_t flip,
    uint16_t *to, int64_t to_at, int64_t lanes) {
    chosen.bf16_turn(rows, at, row, count, depth, flip, to, to_at, lanes);
}

int32_t heed_bf16_interleave(const uint16_t *rows, int64_t at, int64_t row, int64_t count, int64_t width, uint16_t *to,
    int64_t to_at, int64_t to_row) {
    return chosen.bf16_interleave(rows, at, row, count, width, to, to_at, to_row);
}

void heed_bf16_pairs(const float *tile, int64_t at, int64_t row, int64_t count, uint16_t *to, int64_t to_at,
    int64_t lanes) {
    chosen.bf16_pairs(tile, at, row, count, to, to_at, lanes);
}

void heed_bf16_widen(const uint16_t *from, int64_t at, int64_t count, float *to, int64_t to_at) {
    chosen.bf16_widen(from, at, count, to, to_at);
}

void heed_f16_widen(const uint16_t *from, int64_t at, int64_t count, float *to, int64_t to_at) {
    chosen.f16_widen(from, at, count, to, to_at);
}

void heed_i8_widen(const int8_t *from, int64_t at, int64_t count, float scale, float *to, int64_t to_at) {
    chosen.i8_widen(from, at, count, scale, to, to_at);
}

void heed_bf16_narrow(const float *from, int64_t at, int64_t count, uint16_t *to, int64_t to_at) {
    chosen.bf16_narrow(from, at, count, to, to_at);
}

void heed_f16_narrow(const float *from, int64_t at, int64_t count, uint16_t *to, int64_t to_at) {
    chosen.f16_narrow(from, at, count, to, to_at);
}

void heed_bf16_dots(const uint16_t *q, int64_t q_at, int64_t q_row, int64_t rows, const uint16_t *k, int64_t k_at,
    int64_t k_row, int64_t leap, int64_t runs, int64_t count, int64_t depth, float *s, int64_t s_at, int64_t s_row) {
    chosen.bf16_dots(q, q_at, q_row, rows, k, k_at, k_row, leap, runs, count, depth, s, s_at, s_row);
}

void heed_f16_dots(const float *q, int64_t q_at, int64_t q_row, int64_t rows, const uint16_t *k, int64_t k_at,
    int64_t k_row, int64_t leap, int64_t runs, int64_t count, int64_t depth, float *s, int64_t s_at, int64_t s_row) {
    chosen.f16_dots(q, q_at, q_row, rows, k, k_at, k_row, leap, runs, count, depth, s, s_at, s_row);
}

void heed_i8_dots(const int8_t *q, int64_t q_at, const float *units, int64_t rows, const int8_t *k, int64_t k_at,
    int64_t k_row, int64_t leap, int64_t runs, int64_t count, int64_t depth, const float *scales, int64_t scales_at,
    int64_t scales_step, int64_t scales_leap, float *s, int64_t s_at, int64_t s_row) {
    chosen.i8_dots(q, q_at, units, rows, k, k_at, k_row, leap, runs, count, depth, scales, scales_at, scales_step,
        scales_leap, s, s_at, s_row);
}

void heed_bf16_pool(const float *w, int64_t w_at, int64_t w_row, int64_t rows, const uint16_t *v, int64_t v_at,
    int64_t v_row, int64_t leap, int64_t runs, int64_t count, int64_t width, float *c, int64_t c_at, int64_t c_row,
    int32_t skip) {
    chosen.bf16_pool(w, w_at, w_row, rows, v, v_at, v_row, leap, runs, count, width, c, c_at, c_row, skip);
}

void heed_f16_pool(const float *w, int64_t w_at, int64_t w_row, int64_t rows, const uint16_t *v, int64_t v_at,
    int64_t v_row, int64_t leap, int64_t runs, int64_t count, int64_t width, float *c, int64_t c_at, int64_t c_row,
    int32_t skip) {
    chosen.f16_pool(w, w_at, w_row, rows, v, v_at, v_row, leap, runs, count, width, c, c_at, c_row, skip);
}

void heed_i8_pool(const float *w, int64_t w_at, int64_t w_row, int64_t rows, const int8_t *v, int64_t v_at,
    int64_t v_row, int64_t leap, int64_t runs, int64_t count, int64_t width, const float *scales, int64_t scales_at,
    int64_t scales_step, int64_t scales_leap, float *c, int64_t c_at, int64_t c_row, int32_t skip) {
    chosen.i8_pool(w, w_at, w_row, rows, v, v_at, v_row, leap, runs, count, width, scales, scales_at, scales_step,
        scales_leap, c, c_at, c_row, skip);
}
