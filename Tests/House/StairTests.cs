using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.CompilerServices;
using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>The rules of the house that can be read off its assemblies: stairs go one way, and libraries keep to themselves.</summary>
public sealed class StairTests
{
    private static readonly Assembly KernelsRoom = typeof(Device).Assembly;
    private static readonly Assembly TensorsRoom = typeof(Tensor).Assembly;
    private static readonly Assembly ModelsRoom = typeof(ModelConfig).Assembly;

    public static TheoryData<string> Libraries => ["Kernels", "Tensors", "Models"];

    [Fact]
    public void StairsGoOneWay()
    {
        Assert.Empty(RoomsBelow(KernelsRoom));
        Assert.Equal(["CudaSeq.Kernels"], RoomsBelow(TensorsRoom));
        Assert.Subset(new HashSet<string> { "CudaSeq.Kernels", "CudaSeq.Tensors" }, RoomsBelow(ModelsRoom).ToHashSet());
    }

    [Fact]
    public void ModelsMentionNoKernelAndNoBuffer()
    {
        var hidden = KernelsRoom.GetTypes().Where(t => !t.IsVisible).Select(t => t.FullName!).ToHashSet();
        Assert.Contains("CudaSeq.Kernels.ElementwiseKernel", hidden);
        Assert.Empty(TypesReferencedBy(ModelsRoom).Intersect(hidden));
    }

    [Fact]
    public void KernelsAreInternal()
        => Assert.DoesNotContain(KernelsRoom.GetExportedTypes(), t => t.Name.EndsWith("Kernel", StringComparison.Ordinal));

    [Theory]
    [MemberData(nameof(Libraries))]
    public void LibrariesNeverWriteToTheConsole(string room) => Assert.DoesNotContain("System.Console", TypesReferencedBy(Room(room)));

    [Theory]
    [MemberData(nameof(Libraries))]
    public void TheOnlyParallelismIsTheDevices(string room) => Assert.DoesNotContain("System.Threading.Tasks.Parallel", TypesReferencedBy(Room(room)));

    [Theory]
    [MemberData(nameof(Libraries))]
    public void LibrariesHaveNoStaticMutableState(string room)
    {
        // The open scope and tape of a thread are the one exception.
        var mutable =
            from type in Room(room).GetTypes()
            where !IsMadeByTheCompiler(type)
            from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            where !field.IsInitOnly && !field.IsLiteral && !field.IsDefined(typeof(ThreadStaticAttribute))
            select $"{type.FullName}.{field.Name}";
        Assert.Empty(mutable);
    }

    private static bool IsMadeByTheCompiler(Type? type)
        => type is not null && (type.Name.StartsWith('<') || type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false) || IsMadeByTheCompiler(type.DeclaringType));

    private static Assembly Room(string name) => name switch
    {
        "Kernels" => KernelsRoom,
        "Tensors" => TensorsRoom,
        _ => ModelsRoom,
    };

    private static IEnumerable<string> RoomsBelow(Assembly room)
        => room.GetReferencedAssemblies().Select(a => a.Name!).Where(n => n.StartsWith("CudaSeq.", StringComparison.Ordinal)).Order();

    private static HashSet<string> TypesReferencedBy(Assembly room)
    {
        using var file = new PEReader(File.OpenRead(room.Location));
        var metadata = file.GetMetadataReader();
        return [.. metadata.TypeReferences.Select(metadata.GetTypeReference).Select(t => $"{metadata.GetString(t.Namespace)}.{metadata.GetString(t.Name)}")];
    }
}
