/* Chooses the kernel of each function once, when the library is loaded. The choice depends on the instructions that the processor
 * and the system support, and on whether the kernels of each level give the same results as the portable versions. */
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

/* Uses the kernels of a level if their results equal the portable versions' results; otherwise the kernels chosen before stay in
 * use. */
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
        with = chosen; /* AVX-512 includes the conversions between f16 and f32 */
        with.bf16_transpose = heed_bf16_transpose_avx512;
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
    with.bf16_transpose = heed_bf16_transpose_neon;
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

void heed_bf16_product(const uint16_t *a, int64_t a_offset, int64_t lda, int64_t a_pair_stride, int64_t rows,
    const uint16_t *b, int64_t b_offset, int64_t lanes, int64_t depth, float *c, int64_t c_offset, int64_t ldc,
    int32_t accumulate) {
    chosen.bf16_product(a, a_offset, lda, a_pair_stride, rows, b, b_offset, lanes, depth, c, c_offset, ldc, accumulate);
}

void heed_bf16_transpose(const uint16_t *rows, int64_t rows_offset, int64_t ld_rows, int64_t count, int64_t depth,
    int32_t negate, uint16_t *to, int64_t to_offset, int64_t lanes) {
    chosen.bf16_transpose(rows, rows_offset, ld_rows, count, depth, negate, to, to_offset, lanes);
}

int32_t heed_bf16_interleave(const uint16_t *rows, int64_t rows_offset, int64_t ld_rows, int64_t count, int64_t width,
    uint16_t *to, int64_t to_offset, int64_t ld_to) {
    return chosen.bf16_interleave(rows, rows_offset, ld_rows, count, width, to, to_offset, ld_to);
}

void heed_bf16_pairs(const float *tile, int64_t tile_offset, int64_t ld_tile, int64_t count, uint16_t *to,
    int64_t to_offset, int64_t lanes) {
    chosen.bf16_pairs(tile, tile_offset, ld_tile, count, to, to_offset, lanes);
}

void heed_bf16_widen(const uint16_t *from, int64_t from_offset, int64_t count, float *to, int64_t to_offset) {
    chosen.bf16_widen(from, from_offset, count, to, to_offset);
}

void heed_f16_widen(const uint16_t *from, int64_t from_offset, int64_t count, float *to, int64_t to_offset) {
    chosen.f16_widen(from, from_offset, count, to, to_offset);
}

void heed_i8_widen(const int8_t *from, int64_t from_offset, int64_t count, float scale, float *to, int64_t to_offset) {
    chosen.i8_widen(from, from_offset, count, scale, to, to_offset);
}

void heed_bf16_narrow(const float *from, int64_t from_offset, int64_t ld_from, int64_t rows, int64_t count,
    uint16_t *to, int64_t to_offset, int64_t ld_to) {
    chosen.bf16_narrow(from, from_offset, ld_from, rows, count, to, to_offset, ld_to);
}

void heed_f16_narrow(const float *from, int64_t from_offset, int64_t count, uint16_t *to, int64_t to_offset) {
    chosen.f16_narrow(from, from_offset, count, to, to_offset);
}

void heed_bf16_dots(const uint16_t *q, int64_t q_offset, int64_t ldq, int64_t rows, const uint16_t *k, int64_t k_offset,
    int64_t ldk, int64_t run_stride, int64_t runs, int64_t count, int64_t depth, float *s, int64_t s_offset,
    int64_t lds) {
    chosen.bf16_dots(q, q_offset, ldq, rows, k, k_offset, ldk, run_stride, runs, count, depth, s, s_offset, lds);
}

void heed_f16_dots(const float *q, int64_t q_offset, int64_t ldq, int64_t rows, const uint16_t *k, int64_t k_offset,
    int64_t ldk, int64_t run_stride, int64_t runs, int64_t count, int64_t depth, float *s, int64_t s_offset,
    int64_t lds) {
    chosen.f16_dots(q, q_offset, ldq, rows, k, k_offset, ldk, run_stride, runs, count, depth, s, s_offset, lds);
}

void heed_i8_dots(const int8_t *q, int64_t q_offset, const float *units, int64_t rows, const int8_t *k,
    int64_t k_offset, int64_t ldk, int64_t run_stride, int64_t runs, int64_t count, int64_t depth, const float *scales,
    int64_t scales_offset, int64_t scales_stride, int64_t scales_run_stride, float *s, int64_t s_offset, int64_t lds) {
    chosen.i8_dots(q, q_offset, units, rows, k, k_offset, ldk, run_stride, runs, count, depth, scales, scales_offset,
        scales_stride, scales_run_stride, s, s_offset, lds);
}

void heed_bf16_pool(const float *w, int64_t w_offset, int64_t ldw, int64_t rows, const uint16_t *v, int64_t v_offset,
    int64_t ldv, int64_t run_stride, int64_t runs, int64_t count, int64_t width, float *c, int64_t c_offset,
    int64_t ldc, int32_t skip) {
    chosen.bf16_pool(w, w_offset, ldw, rows, v, v_offset, ldv, run_stride, runs, count, width, c, c_offset, ldc, skip);
}

void heed_f16_pool(const float *w, int64_t w_offset, int64_t ldw, int64_t rows, const uint16_t *v, int64_t v_offset,
    int64_t ldv, int64_t run_stride, int64_t runs, int64_t count, int64_t width, float *c, int64_t c_offset,
    int64_t ldc, int32_t skip) {
    chosen.f16_pool(w, w_offset, ldw, rows, v, v_offset, ldv, run_stride, runs, count, width, c, c_offset, ldc, skip);
}

void heed_i8_pool(const float *w, int64_t w_offset, int64_t ldw, int64_t rows, const int8_t *v, int64_t v_offset,
    int64_t ldv, int64_t run_stride, int64_t runs, int64_t count, int64_t width, const float *scales,
    int64_t scales_offset, int64_t scales_stride, int64_t scales_run_stride, float *c, int64_t c_offset, int64_t ldc,
    int32_t skip) {
    chosen.i8_pool(w, w_offset, ldw, rows, v, v_offset, ldv, run_stride, runs, count, width, scales, scales_offset,
        scales_stride, scales_run_stride, c, c_offset, ldc, skip);
}
