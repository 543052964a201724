// Fills words [first, first + count) of a buffer with a 32-bit pattern. clEnqueueFillBuffer is not used: NVIDIA's
// implementation does not write all of a large buffer. Any number of work-items; each writes every get_global_size(0)-th
// word.

__kernel void fill_words(__global uint *to, ulong first, ulong count, uint pattern) {
    for (ulong i = get_global_id(0); i < count; i += get_global_size(0)) {
        to[first + i] = pattern;
    }
}
