using System.Reflection;
using System.Runtime.Loader;

namespace CudaSeq.Kernels;

/// <summary>
/// Gives the ManagedCuda packages the libraries that were found. They ask the system's loader for libcuda and cublas without a version; where it knows none, which
/// is the rule away from developers' machines, the question comes here. Where it does know one, the packages use that one.
/// </summary>
internal static class ManagedCudaLibraries
{
    private static readonly bool Redirected = Subscribe();

    /// <summary>Must come before the first call of the packages.</summary>
    public static bool Redirect() => Redirected;

    private static bool Subscribe()
    {
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += Resolve;
        return true;
    }

    private static nint Resolve(Assembly assembly, string name)
    {
        if (assembly.GetName().Name is not ("ManagedCuda" or "CudaBlas"))
            return 0;
        return name.Contains("cublas", StringComparison.Ordinal) ? CudaLibraries.OfProcess.Find(CudaLibrary.Cublas).Handle
            : name.Contains("cuda", StringComparison.Ordinal) ? CudaLibraries.OfProcess.Find(CudaLibrary.Driver).Handle
            : 0;
    }
}
