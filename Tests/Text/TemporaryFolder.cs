using System.Text;

namespace CudaSeq.Tests;

/// <summary>A folder that is gone after the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cudaseq-");

    public void Dispose() => _folder.Delete(recursive: true);

    public string PathOf(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>Writes bytes and gives the path.</summary>
    public string File(string name, params byte[] bytes)
    {
        string path = PathOf(name);
        System.IO.File.WriteAllBytes(path, bytes);
        return path;
    }

    /// <summary>Writes text as UTF-8 without a byte order mark and gives the path.</summary>
    public string File(string name, string text) => File(name, Encoding.UTF8.GetBytes(text));
}
