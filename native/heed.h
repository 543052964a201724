/* The C ABI of Heed's native kernels, which are called from Java. A test compares the Java side with the table in README.md.
 *
 * Every function exists twice: heed_NAME runs the kernel chosen for this processor, heed_NAME_portable is the portable version in
 * plain C. A matrix is a base pointer and the offset of its first element, so that Java can pass whole arrays. Leading
 * dimensions (lda, ldb and so on) are distances between rows. Offsets and distances are in elements.
 *
 * Functions do not check their arguments; Java checks them before each call. Functions keep no state and allocate no memory. */
#ifndef HEED_H
#define HEED_H

#include <stdint.h>

#define HEED_ABI 4
#define HEED_LANES 64 /* maximum lanes of a panel (queries or columns); a panel has 16, 32 or 64 */
#define HEED_LIMBS 3  /* bytes that represent an element of a query in scores with int8 keys */

#define HEED_EXPORT __attribute__((visibility("default")))

/* Bits of heed_features: groups of functions for which this processor has a kernel besides the portable version. */
#define HEED_BF16_PRODUCT 1
#define HEED_BF16_ROWS 2
#define HEED_F16_ROWS 4
#define HEED_I8_ROWS 8
#define HEED_WIDTHS 16

/* Bits of heed_levels and heed_refused: instruction sets whose kernels are in use, and instruction sets that the processor has
 * but whose kernels gave other results than the portable versions. */
#define HEED_AVX512 1
#define HEED_AVX512_BF16 2
#define HEED_AVX512_VNNI 4
#define HEED_AMX_BF16 8
#define HEED_NEON 16
#define HEED_ARM_BF16 32
#define HEED_ARM_I8MM 64

/* The list of all functions: K(result, NAME, parameters) is expanded for each. */
#define HEED_FUNCTIONS(K)                                                                                              \
    K(void, bf16_product,                                                                                              \
        (const uint16_t *a, int64_t a_offset, int64_t lda, int64_t a_pair_stride, int64_t rows, const uint16_t *b,     \
            int64_t b_offset, int64_t lanes, int64_t depth, float *c, int64_t c_offset, int64_t ldc,                   \
            int32_t accumulate))                                                                                       \
    K(void, bf16_transpose,                                                                                            \
        (const uint16_t *rows, int64_t rows_offset, int64_t ld_rows, int64_t count, int64_t depth, int32_t negate,     \
            uint16_t *to, int64_t to_offset, int64_t lanes))                                                           \
    K(int32_t, bf16_interleave,                                                                                        \
        (const uint16_t *rows, int64_t rows_offset, int64_t ld_rows, int64_t count, int64_t width, uint16_t *to,       \
            int64_t to_offset, int64_t ld_to))                                                                         \
    K(void, bf16_pairs,                                                                                                \
        (const float *tile, int64_t tile_offset, int64_t ld_tile, int64_t count, uint16_t *to, int64_t to_offset,      \
            int64_t lanes))                                                                                            \
    K(void, bf16_widen, (const uint16_t *from, int64_t from_offset, int64_t count, float *to, int64_t to_offset))      \
    K(void, f16_widen, (const uint16_t *from, int64_t from_offset, int64_t count, float *to, int64_t to_offset))       \
    K(void, i8_widen,                                                                                                  \
        (const int8_t *from, int64_t from_offset, int64_t count, float scale, float *to, int64_t to_offset))           \
    K(void, bf16_narrow,                                                                                               \
        (const float *from, int64_t from_offset, int64_t ld_from, int64_t rows, int64_t count, uint16_t *to,           \
            int64_t to_offset, int64_t ld_to))                                                                         \
    K(void, f16_narrow, (const float *from, int64_t from_offset, int64_t count, uint16_t *to, int64_t to_offset))      \
    K(void, bf16_dots,                                                                                                 \
        (const uint16_t *q, int64_t q_offset, int64_t ldq, int64_t rows, const uint16_t *k, int64_t k_offset,          \
            int64_t ldk, int64_t run_stride, int64_t runs, int64_t count, int64_t depth, float *s, int64_t s_offset,   \
            int64_t lds))                                                                                              \
    K(void, f16_dots,                                                                                                  \
        (const float *q, int64_t q_offset, int64_t ldq, int64_t rows, const uint16_t *k, int64_t k_offset,             \
            int64_t ldk, int64_t run_stride, int64_t runs, int64_t count, int64_t depth, float *s, int64_t s_offset,   \
            int64_t lds))                                                                                              \
    K(void, i8_dots,                                                                                                   \
        (const int8_t *q, int64_t q_offset, const float *units, int64_t rows, const int8_t *k, int64_t k_offset,       \
            int64_t ldk, int64_t run_stride, int64_t runs, int64_t count, int64_t depth, const float *scales,          \
            int64_t scales_offset, int64_t scales_stride, int64_t scales_run_stride, float *s, int64_t s_offset,       \
            int64_t lds))                                                                                              \
    K(void, bf16_pool,                                                                                                 \
        (const float *w, int64_t w_offset, int64_t ldw, int64_t rows, const uint16_t *v, int64_t v_offset,             \
            int64_t ldv, int64_t run_stride, int64_t runs, int64_t count, int64_t width, float *c, int64_t c_offset,   \
            int64_t ldc, int32_t skip))                                                                                \
    K(void, f16_pool,                                                                                                  \
        (const float *w, int64_t w_offset, int64_t ldw, int64_t rows, const uint16_t *v, int64_t v_offset,             \
            int64_t ldv, int64_t run_stride, int64_t runs, int64_t count, int64_t width, float *c, int64_t c_offset,   \
            int64_t ldc, int32_t skip))                                                                                \
    K(void, i8_pool,                                                                                                   \
        (const float *w, int64_t w_offset, int64_t ldw, int64_t rows, const int8_t *v, int64_t v_offset, int64_t ldv,  \
            int64_t run_stride, int64_t runs, int64_t count, int64_t width, const float *scales,                       \
            int64_t scales_offset, int64_t scales_stride, int64_t scales_run_stride, float *c, int64_t c_offset,       \
            int64_t ldc, int32_t skip))

#define HEED_DECLARE(result, name, parameters)                                                                         \
    HEED_EXPORT result heed_##name parameters;                                                                         \
    HEED_EXPORT result heed_##name##_portable parameters;
HEED_FUNCTIONS(HEED_DECLARE)
#undef HEED_DECLARE

HEED_EXPORT int32_t heed_abi(void);
HEED_EXPORT int64_t heed_features(void);
HEED_EXPORT int64_t heed_levels(void);
HEED_EXPORT int64_t heed_refused(void);

#endif
