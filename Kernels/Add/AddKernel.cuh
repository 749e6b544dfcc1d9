// z = x + y. Twin: AddKernel.Cpu.cs. Shapes and loops: Runtime/Elementwise.cuh.
struct AddFunction {
    __device__ float operator()(float x, float y) const { return x + y; }
};
