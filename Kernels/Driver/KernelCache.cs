using System.Security.Cryptography;
using System.Text;

namespace CudaSeq.Kernels;

/// <summary>
/// Compiled kernels on disk, one file for each source, architecture and compiler. A file carries the hash of what is in it, so that a torn or changed one is
/// compiled anew instead of loaded; it appears under its name only when it is complete, so that several processes may write at once.
/// </summary>
internal sealed class KernelCache
{
    private static readonly byte[] Mark = "CudaSeq1"u8.ToArray();

    /// <summary>A cache.</summary>
    /// <param name="folder">Made when something is first written; null for a cache that keeps nothing.</param>
    public KernelCache(string? folder) => Folder = folder;

    /// <summary>Where it lies.</summary>
    public string? Folder { get; }

    /// <summary>
    /// The folder in the environment variable CUDASEQ_CACHE, else <c>cudaseq/kernels</c> in the user's cache folder; null where the user has none.
    /// </summary>
    public static string? FolderOfUser(Func<string, string?> variable, bool windows)
    {
        if (variable(CudaVariables.Cache) is { Length: > 0 } chosen)
            return chosen;
        string? root = windows ? variable("LOCALAPPDATA")
            : variable("XDG_CACHE_HOME") is { Length: > 0 } cache ? cache
            : variable("HOME") is { Length: > 0 } home ? Path.Join(home, ".cache")
            : null;
        return string.IsNullOrEmpty(root) ? null : Path.Join(root, "cudaseq", "kernels");
    }

    /// <summary>The name of an entry: whatever changes the compiled kernels changes it.</summary>
    public static string Key(string source, IEnumerable<string> options, string architecture, Version compiler)
    {
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{source}\0{string.Join('\0', options)}"));
        return $"{architecture}-nvrtc{compiler}-{Convert.ToHexStringLower(hash.AsSpan(0, 16))}";
    }

    /// <summary>An entry; null where there is none, or a damaged one.</summary>
    public byte[]? Read(string key)
    {
        try
        {
            if (Folder is null || !File.Exists(PathOf(key)))
                return null;
            byte[] file = File.ReadAllBytes(PathOf(key));
            int start = Mark.Length + SHA256.HashSizeInBytes;
            if (file.Length <= start || !file.AsSpan(0, Mark.Length).SequenceEqual(Mark))
                return null;
            byte[] content = file[start..];
            return SHA256.HashData(content).AsSpan().SequenceEqual(file.AsSpan(Mark.Length, SHA256.HashSizeInBytes)) ? content : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Keeps an entry.</summary>
    /// <returns>Why it could not be kept; null when it was. The kernels serve all the same.</returns>
    public string? Write(string key, byte[] content)
    {
        if (Folder is null)
            return "the user has no cache folder";
        string temporary = $"{PathOf(key)}.{Guid.NewGuid():N}";
        try
        {
            Directory.CreateDirectory(Folder);
            byte[] file = [.. Mark, .. SHA256.HashData(content), .. content];
            File.WriteAllBytes(temporary, file);
            File.Move(temporary, PathOf(key), overwrite: true);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Discard(temporary);
            return e.Message;
        }
    }

    private static void Discard(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    private string PathOf(string key) => Path.Join(Folder, key);
}
