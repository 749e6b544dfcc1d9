using System.Reflection;
using CudaSeq.Kernels;
using Xunit.Sdk;
using Xunit.v3;

namespace CudaSeq.Tests;

/// <summary>Runs a theory once for every device that this process can compute on; the test's first parameter is the device's name.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class DevicesAttribute : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker)
        => new([new TheoryDataRow<string>("cpu")]);

    public override bool SupportsDiscoveryEnumeration() => true;
}

/// <summary>The devices tests compute on.</summary>
internal static class TestDevices
{
    /// <summary>A fresh device whose buffers start as NaN and lie between guard zones that are checked when they are freed.</summary>
    public static Device Open(string name, int threads = 2) => name switch
    {
        "cpu" => new CpuDevice(threads, tier: null, guards: true),
        _ => throw new ArgumentException($"No test device is called {name}."),
    };
}
