using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace CudaSeq.Tests;

/// <summary>
/// Runs a theory once for every device of <see cref="TestDevices.All"/>; the test's first parameter is the device's name. Where a device is missing the test is
/// skipped by its name, with the reason.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class DevicesAttribute : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker)
        => new([.. TestDevices.All.Select(device => new TheoryDataRow<string>(device) { Skip = TestDevices.Absence(device) })]);

    public override bool SupportsDiscoveryEnumeration() => true;
}
