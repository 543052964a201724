// NVIDIA's instructions that OpenCL C cannot express, one kernel each. -DPROBE=<n> compiles a single kernel, so that a rejected
// instruction does not affect the others. A work-group is one warp of 32 work-items, in probes 8 and 9 four warps. PtxProbe
// uses the same numbers.

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#ifndef TYPE
#define TYPE f16
#endif

#if PROBE == 1
__kernel __attribute__((reqd_work_group_size(32, 1, 1))) void laneid(__global uint *out) {
    uint lane;
    asm volatile("mov.u32 %0, %%laneid;" : "=r"(lane));
    out[get_global_id(0)] = lane;
}
#endif

#if PROBE == 2
static uint pair(ushort low, ushort high) {
    return (uint)low | ((uint)high << 16);
}

// d[16][8] = a[16][16] b[16][8] on a tensor core; a lane has elements of rows lane/4 and lane/4 + 8.
__kernel __attribute__((reqd_work_group_size(32, 1, 1))) void mma(
        __global const ushort *a, __global const ushort *b, __global float *d) {
    uint row = get_local_id(0) >> 2, two = (get_local_id(0) & 3) * 2;
    uint a0 = pair(a[row * 16 + two], a[row * 16 + two + 1]);
    uint a1 = pair(a[(row + 8) * 16 + two], a[(row + 8) * 16 + two + 1]);
    uint a2 = pair(a[row * 16 + two + 8], a[row * 16 + two + 9]);
    uint a3 = pair(a[(row + 8) * 16 + two + 8], a[(row + 8) * 16 + two + 9]);
    uint b0 = pair(b[two * 8 + row], b[(two + 1) * 8 + row]);
    uint b1 = pair(b[(two + 8) * 8 + row], b[(two + 9) * 8 + row]);
    float d0 = 0, d1 = 0, d2 = 0, d3 = 0;
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." TEXT(TYPE) "." TEXT(TYPE) ".f32 "
                 "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(d0), "+f"(d1), "+f"(d2), "+f"(d3)
                 : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
    d[row * 8 + two] = d0;
    d[row * 8 + two + 1] = d1;
    d[(row + 8) * 8 + two] = d2;
    d[(row + 8) * 8 + two + 1] = d3;
}
#endif

#if PROBE == 3
// Four 8x8 matrices of a 16x16 tile: out[lane][4].
__kernel __attribute__((reqd_work_group_size(32, 1, 1))) void ldmatrix(__global const ushort *in, __global uint *out) {
    __local ushort tile[256] __attribute__((aligned(16)));
    uint lane = get_local_id(0);
    for (uint i = lane; i < 256; i += 32) {
        tile[i] = in[i];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    __local ushort *row = tile + (lane & 15) * 16 + (lane >> 4) * 8;
    uint r0, r1, r2, r3;
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r0), "=r"(r1), "=r"(r2), "=r"(r3)
                 : "l"(row)
                 : "memory");
    out[lane * 4] = r0;
    out[lane * 4 + 1] = r1;
    out[lane * 4 + 2] = r2;
    out[lane * 4 + 3] = r3;
}
#endif

#if PROBE == 4
// Copies 16 bytes per lane from global to local memory, bypassing the registers.
__kernel __attribute__((reqd_work_group_size(32, 1, 1))) void cp_async(__global const uint *in, __global uint *out) {
    __local uint tile[128] __attribute__((aligned(16)));
    uint lane = get_local_id(0);
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"l"(tile + lane * 4), "l"(in + lane * 4) : "memory");
    asm volatile("cp.async.commit_group;" ::: "memory");
    asm volatile("cp.async.wait_group 0;" ::: "memory");
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint i = lane; i < 128; i += 32) {
        out[i] = tile[127 - i];
    }
}
#endif

#if PROBE == 5
__kernel __attribute__((reqd_work_group_size(32, 1, 1))) void ex2(__global const float *in, __global float *out) {
    float x = in[get_global_id(0)], y;
    asm volatile("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    out[get_global_id(0)] = y;
}
#endif

#if PROBE == 6
// 2^x of two f16 values at once.
__kernel __attribute__((reqd_work_group_size(32, 1, 1))) void ex2_pair(__global const uint *in, __global uint *out) {
    uint x = in[get_global_id(0)], y;
    asm volatile("ex2.approx.f16x2 %0, %1;" : "=r"(y) : "r"(x));
    out[get_global_id(0)] = y;
}
#endif

#if PROBE == 7
// Copies 512 bytes with the copy engine; an mbarrier in local memory signals the end. out[128] is 1, or 0 if there was no signal
// within 1000000 tries.
__kernel __attribute__((reqd_work_group_size(32, 1, 1))) void bulk(__global const uint *in, __global uint *out) {
    __local uint tile[128] __attribute__((aligned(128)));
    __local ulong gate[1] __attribute__((aligned(8)));
    uint lane = get_local_id(0);
    if (lane == 0) {
        asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"l"(gate) : "memory");
        asm volatile("fence.proxy.async;" ::: "memory");
        asm volatile("{ .reg .b64 state; mbarrier.arrive.expect_tx.shared::cta.b64 state, [%0], 512; }" ::"l"(gate) : "memory");
        asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], 512, [%2];" ::"l"(tile),
                     "l"(in), "l"(gate)
                     : "memory");
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    uint done = 0;
    for (uint tries = 0; tries < 1000000 && !done; tries++) {
        asm volatile("{ .reg .pred p; mbarrier.try_wait.parity.shared::cta.b64 p, [%1], 0; selp.u32 %0, 1, 0, p; }"
                     : "=r"(done)
                     : "l"(gate)
                     : "memory");
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint i = lane; i < 128; i += 32) {
        out[i] = tile[127 - i];
    }
    if (lane == 0) {
        out[128] = done;
    }
}
#endif

#if PROBE == 8
// The marker is a comment that stays in the PTX and can be replaced by an instruction.
__kernel __attribute__((reqd_work_group_size(128, 1, 1))) void marked(__global uint *out) {
    uint x = get_global_id(0) * 3;
    asm volatile("// HEED_MARKER" ::: "memory");
    out[get_global_id(0)] = x;
}
#endif

#if PROBE == 9
// The synchronisation instructions of Hopper's matrix units, which plain sm_90 does not have.
__kernel __attribute__((reqd_work_group_size(128, 1, 1))) void wgmma(__global uint *out) {
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
    asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
    out[get_global_id(0)] = get_global_id(0) * 3;
}
#endif
