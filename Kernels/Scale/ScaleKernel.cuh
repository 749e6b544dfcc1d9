// y = factor x. Twin: ScaleKernel.Cpu.cs. Shapes and loops: Runtime/Elementwise.cuh.
struct ScaleFunction {
    float factor;

    __device__ float operator()(float x) const { return factor * x; }
};
