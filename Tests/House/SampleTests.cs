using System.Text.RegularExpressions;

namespace CudaSeq.Tests;

/// <summary>The README's programs are the samples, and the samples are built with everything else.</summary>
public sealed partial class SampleTests
{
    [Fact]
    public void TheReadmeShowsTheSamplesAsTheyAre()
    {
        string[] shown = [.. CSharpBlock().Matches(Read("README.md")).Select(m => m.Groups[1].Value)];
        Assert.Equal([Read("samples", "Translate", "Program.cs"), Read("samples", "Tensors", "Program.cs")], shown);
    }

    private static string Read(params string[] path) => File.ReadAllText(Path.Combine([Repository.Root, .. path]));

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CSharpBlock();
}
