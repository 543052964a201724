/* Detects the instructions that the processor has and the operating system lets a process use. */
#define _GNU_SOURCE /* syscall */
#include "kernels.h"

#if defined(__x86_64__)

#include <cpuid.h>
#if defined(__linux__) && !defined(HEED_AMX_EMULATED)
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* Returns whether AMX tiles can be used: the processor has them, the system saves them (bits 17 and 18 of XCR0), and Linux
 * permits this process to use their 8 KB of state, which a thread gets when it first uses a tile. */
static int tiles(void) {
#ifdef HEED_AMX_EMULATED
    return 1;
#elif defined(__linux__)
    enum { OSXSAVE = 1 << 27, AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24, STATE = 3 << 17 };
    enum { ARCH_REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };
    unsigned a, b, c, d, state, upper;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & OSXSAVE)) {
        return 0;
    }
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & AMX_BF16) || !(d & AMX_TILE)) {
        return 0;
    }
    __asm__("xgetbv" : "=a"(state), "=d"(upper) : "c"(0));
    return (state & STATE) == STATE && syscall(SYS_arch_prctl, ARCH_REQUEST_PERMISSION, TILE_DATA) == 0;
#else
    return 0;
#endif
}

int64_t heed_processor(void) {
    __builtin_cpu_init();
    int base = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    if (!base) {
        return 0;
    }
    int64_t levels = HEED_AVX512;
    levels |= __builtin_cpu_supports("avx512bf16") ? HEED_AVX512_BF16 : 0;
    levels |= __builtin_cpu_supports("avx512vnni") ? HEED_AVX512_VNNI : 0;
    return levels | (tiles() ? HEED_AMX_BF16 : 0);
}

#elif defined(__aarch64__) && defined(__linux__)

#include <sys/auxv.h>

int64_t heed_processor(void) {
    enum { I8MM = 1 << 13, BF16 = 1 << 14 }; /* bits of AT_HWCAP2 */
    unsigned long has = getauxval(AT_HWCAP2);
    return HEED_NEON | (has & BF16 ? HEED_ARM_BF16 : 0) | (has & I8MM ? HEED_ARM_I8MM : 0);
}

#elif defined(__aarch64__) && defined(__APPLE__)

#include <stddef.h>
#include <sys/sysctl.h>

static int has(const char *name) {
    int value = 0;
    size_t size = sizeof value;
    return sysctlbyname(name, &value, &size, NULL, 0) == 0 && value;
}

int64_t heed_processor(void) {
    return HEED_NEON | (has("hw.optional.arm.FEAT_BF16") ? HEED_ARM_BF16 : 0)
        | (has("hw.optional.arm.FEAT_I8MM") ? HEED_ARM_I8MM : 0);
}

#else

int64_t heed_processor(void) {
#if defined(__aarch64__)
    return HEED_NEON;
#else
    return 0;
#endif
}

#endif
