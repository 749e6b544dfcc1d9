// cache[n, position, :] = x[n, :]: copy_rows of Slice/SliceKernel.cuh, with rows of the cache S C apart. Twin: CacheAppendKernel.Cpu.cs.
