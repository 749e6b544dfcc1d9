using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary>Devices and models by the names the command line and the recipes give them.</summary>
internal static class Devices
{
    /// <summary>The device that is used when none is named.</summary>
    public const string Default = "cpu";

    /// <summary>Opens a device.</summary>
    /// <exception cref="UsageException">There is none of that name.</exception>
    public static Device Open(string? name)
    {
        name ??= Default;
        try
        {
            return Device.Open(name);
        }
        catch (ArgumentException)
        {
            throw new UsageException($"--device must be one of {string.Join(", ", Device.Names)}, got {name}.");
        }
    }

    /// <summary>The precision that inference is asked for.</summary>
    /// <exception cref="UsageException">There is none of that name.</exception>
    public static DType Precision(string? name)
    {
        if (name is null)
            return DType.Float32;
        foreach (var (known, type) in Precisions.Inference)
        {
            if (known == name)
                return type;
        }

        throw new UsageException($"--precision must be one of {string.Join(", ", Precisions.Inference.Select(p => p.Name))}, got {name}.");
    }

    /// <summary>What <c>--tf32</c> says; null where it is not given.</summary>
    /// <exception cref="UsageException">Neither on nor off.</exception>
    public static bool? Tf32(string? text) => text switch
    {
        null => null,
        "on" => true,
        "off" => false,
        _ => throw new UsageException($"--tf32 must be on or off, got {text}."),
    };

    /// <summary>Refuses what only a GPU computes in.</summary>
    /// <exception cref="UsageException">The processor is asked for it.</exception>
    public static void Check(Device device, DType precision, bool tf32)
    {
        if (device is not CpuDevice)
            return;
        if (precision != DType.Float32)
            throw new UsageException($"--precision {Precisions.Name(precision)} is for a GPU (--device cuda), {device} computes in float32.");
        if (tf32)
            throw new UsageException($"--tf32 on is for a GPU (--device cuda), {device} computes in float32.");
    }

    /// <summary>A device in a few words, for example <c>cpu (2 threads, Avx512)</c>.</summary>
    public static string Describe(Device device) => device is CpuDevice cpu ? $"{cpu} ({cpu.Threads} {(cpu.Threads == 1 ? "thread" : "threads")}, {NameOf(cpu.Tier)})" : device.Description;

    /// <summary>The instruction set as processor makers write it.</summary>
    public static string NameOf(InstructionTier tier) => tier switch
    {
        InstructionTier.Avx512 => "AVX-512",
        InstructionTier.Avx2 => "AVX2",
        InstructionTier.Vector128 => "128-bit vectors",
        _ => "scalar code",
    };

    /// <summary>The model as recipes write it.</summary>
    public static string NameOf(Architecture architecture) => architecture.ToString().ToLowerInvariant();
}
