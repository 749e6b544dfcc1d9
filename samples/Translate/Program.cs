using CudaSeq.Kernels;
using CudaSeq.Models;

using var device = Device.Open("cpu");
using var translator = Translator.Load(args is [var folder] ? folder : "runs/captions", device);
Console.WriteLine(translator.Translate("A man rides a bicycle through the snow."));
