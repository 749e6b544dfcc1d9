// A tensor put into its place in a concatenation: copy_rows of Slice/SliceKernel.cuh into a part of the output's rows. Twin: ConcatKernel.Cpu.cs.
