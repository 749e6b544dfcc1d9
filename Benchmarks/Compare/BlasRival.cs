using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace CudaSeq.Benchmarks;

/// <summary>A BLAS library in this process: its <c>cblas_sgemm</c>, product by product.</summary>
internal sealed unsafe class BlasRival : Rival
{
    private const int RowMajor = 101;
    private const int Plain = 111;
    private const int Transposed = 112;

    // RTLD_LAZY | RTLD_GLOBAL, and MKL_THREADING_GNU.
    private const int LazyForAll = 0x101;
    private const int GnuThreads = 3;

    // What each is called, and where it stands.
    private static readonly (string Name, string[] Libraries, string Threads)[] Known =
    [
        ("OpenBLAS", ["libopenblas.so.0", "libopenblas.so", "openblas"], "openblas_set_num_threads"),
        (TorchLibraries.Mkl, ["libmkl_rt.so.2", "libmkl_rt.so.1", "libmkl_rt.so", "mkl_rt"], "MKL_Set_Num_Threads"),
    ];

    private readonly delegate* unmanaged[Cdecl]<int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int, void> _sgemm;
    private float[] _a = [];
    private float[] _b = [];
    private float[] _c = [];
    private (int Batch, int M, int N, int K, bool Ta, bool Tb) _size;

    private BlasRival(string name, nint sgemm)
    {
        Name = name;
        _sgemm = (delegate* unmanaged[Cdecl]<int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int, void>)sgemm;
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <summary>Those that are installed.</summary>
    /// <param name="threads">How many threads they may have.</param>
    /// <param name="missing">Those that are not, each with what was looked for.</param>
    public static IReadOnlyList<BlasRival> Start(int threads, out IReadOnlyList<string> missing)
    {
        RivalSettings.SetForThisProcess();
        var (found, not) = (new List<BlasRival>(), new List<string>());
        foreach (var (name, libraries, setter) in Known)
        {
            nint library = 0;
            if (name == TorchLibraries.Mkl ? (library = LoadMkl()) == 0 : !libraries.Any(l => NativeLibrary.TryLoad(l, out library)))
            {
                not.Add($"{name}: no {libraries[0]}");
                continue;
            }

            if (!NativeLibrary.TryGetExport(library, "cblas_sgemm", out nint sgemm))
            {
                not.Add($"{name}: no cblas_sgemm in it");
                continue;
            }

            if (NativeLibrary.TryGetExport(library, setter, out nint set))
                ((delegate* unmanaged[Cdecl]<int, void>)set)(threads);
            found.Add(new BlasRival(name + Core(library), sgemm));
        }

        missing = not;
        return found;
    }

    /// <summary>MKL's library in this process; 0 where it is not installed.</summary>
    public static nint LoadMkl()
    {
        nint library = 0;
        if (!Known.Single(k => k.Name == TorchLibraries.Mkl).Libraries.Any(l => NativeLibrary.TryLoad(l, out library)))
            return 0;

        // Of itself it wants Intel's threads, which few systems have, and ends the process without. GNU's must be seen by all libraries.
        if (OperatingSystem.IsLinux() && OpenLibrary("libgomp.so.1", LazyForAll) != 0 && NativeLibrary.TryGetExport(library, "MKL_Set_Threading_Layer", out nint layer))
            _ = ((delegate* unmanaged[Cdecl]<int, int>)layer)(GnuThreads);
        return library;
    }

    // The processor whose kernels OpenBLAS runs.
    private static string Core(nint library) => NativeLibrary.TryGetExport(library, "openblas_get_corename", out nint name)
        ? $" {Marshal.PtrToStringUTF8((nint)((delegate* unmanaged[Cdecl]<byte*>)name)())}"
        : "";

    [DllImport("libc", EntryPoint = "dlopen")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint OpenLibrary([MarshalAs(UnmanagedType.LPUTF8Str)] string name, int flags);

    /// <inheritdoc/>
    public override float[]? Prepare(JsonObject order)
    {
        if ((string)order["op"]! != "matmul")
            return null;
        var (batch, m, n, k) = ((int)order["batch"]!, (int)order["m"]!, (int)order["n"]!, (int)order["k"]!);
        _size = (batch, m, n, k, (bool)order["ta"]!, (bool)order["tb"]!);
        (_a, _b, _c) = (Patterns.Values((long)batch * m * k, 1), Patterns.Values((long)batch * k * n, 2), new float[batch * m * n]);
        Multiply();
        return _c;
    }

    /// <inheritdoc/>
    public override double Sample(int repetitions)
    {
        double start = Clock.Wall.Seconds();
        for (int i = 0; i < repetitions; i++)
            Multiply();
        return (Clock.Wall.Seconds() - start) / repetitions;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        // The library stays: its threads may still stand in it.
    }

    private void Multiply()
    {
        var (batch, m, n, k, ta, tb) = _size;
        fixed (float* a = _a, b = _b, c = _c)
        {
            for (int i = 0; i < batch; i++)
            {
                _sgemm(
                    RowMajor, ta ? Transposed : Plain, tb ? Transposed : Plain, m, n, k, 1,
                    a + ((long)i * m * k), ta ? m : k, b + ((long)i * k * n), tb ? k : n, 0, c + ((long)i * m * n), n);
            }
        }
    }
}
