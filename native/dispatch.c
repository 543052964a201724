/* Which kernel runs: decided once, when the library is loaded, by what the processor and the system have. */
#include "heed.h"

#if defined(__x86_64__)
#define HEED_X86 1
#define DECLARE(result, name, parameters) result heed_##name##_avx512 parameters;
HEED_FUNCTIONS(DECLARE)
#undef DECLARE
#endif

#define SLOT(result, name, parameters) static result(*run_##name) parameters = heed_##name##_portable;
HEED_FUNCTIONS(SLOT)
#undef SLOT

static int64_t features;

int32_t heed_abi(void) { return HEED_ABI; }

int64_t heed_features(void) { return features; }

__attribute__((constructor)) static void choose(void) {
#ifdef HEED_X86
    __builtin_cpu_init();
    int base = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    if (!base) {
        return;
    }
    /* every processor with AVX-512 widens and narrows f16 with it */
    features |= HEED_F16_ROWS | HEED_WIDTHS;
    run_bf16_turn = heed_bf16_turn_avx512;
    run_bf16_interleave = heed_bf16_interleave_avx512;
    run_bf16_widen = heed_bf16_widen_avx512;
    run_f16_widen = heed_f16_widen_avx512;
    run_i8_widen = heed_i8_widen_avx512;
    run_bf16_narrow = heed_bf16_narrow_avx512;
    run_f16_narrow = heed_f16_narrow_avx512;
    run_bf16_pool = heed_bf16_pool_avx512;
    run_f16_dots = heed_f16_dots_avx512;
    run_f16_pool = heed_f16_pool_avx512;
    run_i8_pool = heed_i8_pool_avx512;
    if (__builtin_cpu_supports("avx512bf16")) {
        features |= HEED_BF16_PRODUCT | HEED_BF16_ROWS;
        run_bf16_product = heed_bf16_product_avx512;
        run_bf16_pairs = heed_bf16_pairs_avx512;
        run_bf16_dots = heed_bf16_dots_avx512;
    }
    if (__builtin_cpu_supports("avx512vnni")) {
        features |= HEED_I8_ROWS;
        run_i8_dots = heed_i8_dots_avx512;
    }
#endif
}

void heed_bf16_product(const uint16_t *a, int64_t a_at, int64_t a_row, int64_t a_step, int64_t rows, const uint16_t *b,
    int64_t b_at, int64_t depth, float *c, int64_t c_at, int64_t c_row, int32_t onto) {
    run_bf16_product(a, a_at, a_row, a_step, rows, b, b_at, depth, c, c_at, c_row, onto);
}

void heed_bf16_turn(const uint16_t *rows, int64_t at, int64_t row, int64_t count, int64_t depth, int32_t flip,
    uint16_t *to, int64_t to_at) {
    run_bf16_turn(rows, at, row, count, depth, flip, to, to_at);
}

int32_t heed_bf16_interleave(const uint16_t *rows, int64_t at, int64_t row, int64_t count, int64_t width, uint16_t *to,
    int64_t to_at, int64_t to_row) {
    return run_bf16_interleave(rows, at, row, count, width, to, to_at, to_row);
}

void heed_bf16_pairs(const float *tile, int64_t at, int64_t row, int64_t count, uint16_t *to, int64_t to_at) {
    run_bf16_pairs(tile, at, row, count, to, to_at);
}

void heed_bf16_widen(const uint16_t *from, int64_t at, int64_t count, float *to, int64_t to_at) {
    run_bf16_widen(from, at, count, to, to_at);
}

void heed_f16_widen(const uint16_t *from, int64_t at, int64_t count, float *to, int64_t to_at) {
    run_f16_widen(from, at, count, to, to_at);
}

void heed_i8_widen(const int8_t *from, int64_t at, int64_t count, float scale, float *to, int64_t to_at) {
    run_i8_widen(from, at, count, scale, to, to_at);
}

void heed_bf16_narrow(const float *from, int64_t at, int64_t count, uint16_t *to, int64_t to_at) {
    run_bf16_narrow(from, at, count, to, to_at);
}

void heed_f16_narrow(const float *from, int64_t at, int64_t count, uint16_t *to, int64_t to_at) {
    run_f16_narrow(from, at, count, to, to_at);
}

void heed_bf16_dots(const uint16_t *q, int64_t q_at, int64_t q_row, int64_t rows, const uint16_t *k, int64_t k_at,
    int64_t k_row, int64_t leap, int64_t runs, int64_t count, int64_t depth, float *s, int64_t s_at, int64_t s_row) {
    run_bf16_dots(q, q_at, q_row, rows, k, k_at, k_row, leap, runs, count, depth, s, s_at, s_row);
}

void heed_f16_dots(const float *q, int64_t q_at, int64_t q_row, int64_t rows, const uint16_t *k, int64_t k_at,
    int64_t k_row, int64_t leap, int64_t runs, int64_t count, int64_t depth, float *s, int64_t s_at, int64_t s_row) {
    run_f16_dots(q, q_at, q_row, rows, k, k_at, k_row, leap, runs, count, depth, s, s_at, s_row);
}

void heed_i8_dots(const int8_t *q, int64_t q_at, const float *units, int64_t rows, const int8_t *k, int64_t k_at,
    int64_t k_row, int64_t leap, int64_t runs, int64_t count, int64_t depth, const float *scales, int64_t scales_at,
    int64_t scales_step, int64_t scales_leap, float *s, int64_t s_at, int64_t s_row) {
    run_i8_dots(q, q_at, units, rows, k, k_at, k_row, leap, runs, count, depth, scales, scales_at, scales_step,
        scales_leap, s, s_at, s_row);
}

void heed_bf16_pool(const float *w, int64_t w_at, int64_t w_row, int64_t rows, const uint16_t *v, int64_t v_at,
    int64_t v_row, int64_t leap, int64_t runs, int64_t count, int64_t width, float *c, int64_t c_at, int64_t c_row,
    int32_t skip) {
    run_bf16_pool(w, w_at, w_row, rows, v, v_at, v_row, leap, runs, count, width, c, c_at, c_row, skip);
}

void heed_f16_pool(const float *w, int64_t w_at, int64_t w_row, int64_t rows, const uint16_t *v, int64_t v_at,
    int64_t v_row, int64_t leap, int64_t runs, int64_t count, int64_t width, float *c, int64_t c_at, int64_t c_row,
    int32_t skip) {
    run_f16_pool(w, w_at, w_row, rows, v, v_at, v_row, leap, runs, count, width, c, c_at, c_row, skip);
}

void heed_i8_pool(const float *w, int64_t w_at, int64_t w_row, int64_t rows, const int8_t *v, int64_t v_at,
    int64_t v_row, int64_t leap, int64_t runs, int64_t count, int64_t width, const float *scales, int64_t scales_at,
    int64_t scales_step, int64_t scales_leap, float *c, int64_t c_at, int64_t c_row, int32_t skip) {
    run_i8_pool(w, w_at, w_row, rows, v, v_at, v_row, leap, runs, count, width, scales, scales_at, scales_step,
        scales_leap, c, c_at, c_row, skip);
}
