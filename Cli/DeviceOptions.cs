using System.CommandLine;
using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary>The options that say where and in what numbers to compute, of every verb that uses a trained model.</summary>
/// <param name="work">What is done there, in the help: compute, translate.</param>
/// <param name="quantizes">Whether the verb may compute on quantized weights.</param>
internal sealed class DeviceOptions(string work, bool quantizes = false)
{
    private readonly Option<string> _device = Verb.Text("--device", "NAME", $"Where to {work}: cpu (the default), cuda, cuda:N or auto.");
    private readonly Option<string> _precision = Verb.Text("--precision", "NAME", "What to compute in: float32 (the default) or, on a GPU, bf16 or half.");
    private readonly Option<string> _tf32 = Verb.Text("--tf32", "on|off", "Whether a GPU's products of float32 matrices may round their inputs to TF32 (default: off).");
    private readonly Option<string> _quantize = Verb.Text("--quantize", "NAME", "int8: multiply weights and activations as integers of 8 bits, which is faster on a processor.");

    /// <summary>All options, in the order of the help.</summary>
    public IReadOnlyList<Option> All => quantizes ? [_device, _precision, _tf32, _quantize] : [_device, _precision, _tf32];

    /// <summary>Opens the device, and says which it is where it was left open.</summary>
    /// <param name="arguments">What was typed.</param>
    /// <param name="terminal">Where that is said.</param>
    /// <returns>The device, which the caller disposes, and what to compute in there.</returns>
    /// <exception cref="UsageException">There is no such device or precision, or they do not go together.</exception>
    public (Device Device, DType Precision) Open(ParseResult arguments, Terminal terminal)
    {
        var precision = Devices.Precision(arguments.GetValue(_precision));
        _ = Quantizes(arguments);
        bool tf32 = Devices.Tf32(arguments.GetValue(_tf32)) ?? false;
        var device = Devices.Open(arguments.GetValue(_device));
        try
        {
            Devices.Check(device, precision, tf32);
            device.Tf32 = tf32;
            if (device.Choice is { } choice)
                terminal.Error.WriteLine(choice);
            return (device, precision);
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    /// <summary>Quantizes a model, where that is asked for.</summary>
    /// <param name="arguments">What was typed.</param>
    /// <param name="model">What computes from now on.</param>
    public void Quantize(ParseResult arguments, Module model)
    {
        if (Quantizes(arguments))
            model.Quantize();
    }

    private bool Quantizes(ParseResult arguments) => quantizes && arguments.GetValue(_quantize) switch
    {
        null => false,
        "int8" => true,
        var other => throw new UsageException($"--quantize must be int8, got {other}."),
    };
}
