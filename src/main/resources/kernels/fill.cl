// Writes one 32-bit pattern into a range of a buffer. clEnqueueFillBuffer is not used: NVIDIA's leaves parts of large
// buffers unwritten.

__kernel void fill_words(__global uint *to, ulong first, ulong count, uint pattern) {
    for (ulong i = get_global_id(0); i < count; i += get_global_size(0)) {
        to[first + i] = pattern;
    }
}
