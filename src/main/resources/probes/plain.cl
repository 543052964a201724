// Kernels that every OpenCL 1.2 device should run: an empty kernel, a busy loop, copies, multiply-adds, local memory, registers.

#ifndef WORDS
#define WORDS 256
#endif
#ifndef REGISTERS
#define REGISTERS 16
#endif

__kernel void nothing(int unused) {}

// Runs for `steps` steps; the result depends on each of them.
__kernel void spin(__global uint *out, ulong steps) {
    uint x = get_global_id(0) + 1;
    for (ulong i = 0; i < steps; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
    }
    out[get_global_id(0)] = x;
}

// Neighbouring work-items copy neighbouring vectors; with -DSTRETCHES, for a CPU, each copies its own contiguous range.
__kernel void copy(__global const float4 *from, __global float4 *to, ulong count) {
#ifdef STRETCHES
    ulong each = (count + get_global_size(0) - 1) / get_global_size(0);
    ulong end = min(count, (get_global_id(0) + 1) * each);
    for (ulong i = get_global_id(0) * each; i < end; i++) {
        to[i] = from[i];
    }
#else
    for (ulong i = get_global_id(0); i < count; i += get_global_size(0)) {
        to[i] = from[i];
    }
#endif
}

// 64 independent sums: 128 floating-point operations of a work-item per step.
__kernel void fma64(__global float *out, float a, float b, int steps) {
    float16 s0 = get_global_id(0) * 1e-9f, s1 = s0 + 1, s2 = s0 + 2, s3 = s0 + 3;
    for (int i = 0; i < steps; i++) {
        s0 = fma(s0, (float16)a, (float16)b);
        s1 = fma(s1, (float16)a, (float16)b);
        s2 = fma(s2, (float16)a, (float16)b);
        s3 = fma(s3, (float16)a, (float16)b);
    }
    float16 sum = s0 + s1 + s2 + s3;
    out[get_global_id(0)] = dot(sum.s0123, sum.s4567) + dot(sum.s89ab, sum.scdef);
}

// Each word is written by one work-item and read by another.
static void turn(__global uint *out, __local uint *tile, uint words, uint seed) {
    uint n = get_local_size(0), me = get_local_id(0);
    for (uint i = me; i < words; i += n) {
        tile[i] = (i + seed) * 2654435761u;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    uint sum = 0;
    for (uint i = me; i < words; i += n) {
        sum += tile[words - 1 - i] * (i + 1);
    }
    out[get_global_id(0)] = sum;
}

__kernel void local_static(__global uint *out, uint seed) {
    __local uint tile[WORDS];
    turn(out, tile, WORDS, seed);
}

__kernel void local_argument(__global uint *out, uint seed, __local uint *tile, uint words) {
    turn(out, tile, words, seed);
}

// Keeps REGISTERS values at once, so that the compiler's log reports registers and spills.
__kernel void registers(__global float *x, int steps) {
    float r[REGISTERS];
    for (int j = 0; j < REGISTERS; j++) {
        r[j] = x[get_global_id(0) * REGISTERS + j];
    }
    for (int i = 0; i < steps; i++) {
        for (int j = 0; j < REGISTERS; j++) {
            r[j] = fma(r[j], r[(j + 1) % REGISTERS], r[(j + REGISTERS / 2) % REGISTERS]);
        }
    }
    for (int j = 0; j < REGISTERS; j++) {
        x[get_global_id(0) * REGISTERS + j] = r[j];
    }
}
