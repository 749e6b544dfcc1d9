using CudaSeq.Kernels;
using CudaSeq.Tensors;

using var device = Device.Open("cpu");
var random = new RandomSource(seed: 1);
float[] values = new float[8 * 20 * 64];
random.Normal(values, mean: 0, standardDeviation: 1);

using var scope = TensorScope.Begin();
var x = Tensor.From(device, values, [8, 20, 64]).AsParameter();       // [B, T, C]
var weight = Tensor.Zeros(device, [4, 7]).AsParameter();              // [H, K]: softmax over K taps per head
var y = Ops.LightConv(x, weight, leftPadding: 6);                     // causal
Ops.Sum(Ops.Multiply(y, y)).Backward();
Console.WriteLine(string.Join(" ", weight.Grad!.ToArray()));
