// first[0] becomes the lowest position of an index that is neither in 0 .. limit - 1 nor (with has_allowed) the allowed one. Twin: IndexRangeKernel.Cpu.cs.
// indices int32 [length]; first uint64 [1], its largest value before.
__device__ inline void index_range_first_outside(const int* indices, unsigned long long* first, long long length, int limit, int has_allowed, int allowed) {
    unsigned long long lowest = ~0ULL;
    auto look = [&](long long i, int index) {
        bool good = (index >= 0 && index < limit) || (has_allowed && index == allowed);
        if (!good && static_cast<unsigned long long>(i) < lowest) lowest = i;
    };
    for_each_element<4>(
        length, aligned(indices),
        [&](long long i) {
            int4 four = *reinterpret_cast<const int4*>(indices + i);
            look(i, four.x);
            look(i + 1, four.y);
            look(i + 2, four.z);
            look(i + 3, four.w);
        },
        [&](long long i) { look(i, indices[i]); });
    if (lowest != ~0ULL) atomicMin(first, lowest);
}
