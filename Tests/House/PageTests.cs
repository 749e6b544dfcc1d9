using System.Text.RegularExpressions;
using CudaSeq.Cli;

namespace CudaSeq.Tests;

/// <summary>What the pages tell people to type, and the files they point at, exist.</summary>
public sealed partial class PageTests
{
    private const string Target = "--target=";

    private static readonly string[] DotnetCommands = ["add", "build", "test", "run", "format", "restore", "publish", "pack", "tool", "cake"];

    public static TheoryData<string> Pages
    {
        get
        {
            var pages = new TheoryData<string>();
            foreach (string file in Directory.EnumerateFiles(Repository.Root, "*.md").Concat(Directory.EnumerateFiles(Repository.File("docs"), "*.md", SearchOption.AllDirectories)))
                pages.Add(Path.GetRelativePath(Repository.Root, file).Replace('\\', '/'));
            return pages;
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void CommandsExist(string page)
    {
        foreach (string command in Commands(File.ReadAllText(Repository.File(page))))
            Check(page, command);
    }

    [Theory]
    [InlineData("README.md")]
    [InlineData("CONTRIBUTING.md")]
    public void FilesExist(string page)
    {
        // Foo is the op that the pages pretend to add.
        foreach (string path in Paths().Matches(File.ReadAllText(Repository.File(page))).Select(m => m.Groups[1].Value).Where(p => !p.Contains("Foo", StringComparison.Ordinal)))
            Assert.True(Path.Exists(Repository.File(path)), $"{page} mentions {path}, which is not there");
    }

    private static IEnumerable<string> Commands(string text)
    {
        bool fenced = false;
        foreach (string line in text.Split('\n'))
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
                fenced = !fenced;
            else if (fenced)
                yield return line.Trim();
        }

        foreach (Match match in Inline().Matches(text))
            yield return match.Groups[1].Value;
    }

    private static void Check(string page, string command)
    {
        foreach (string part in command.Split(" | "))
            CheckPart(page, command, [.. Redirection().Split(part)[0].Split(' ', StringSplitOptions.RemoveEmptyEntries).SkipWhile(w => Variable().IsMatch(w))]);
    }

    private static void CheckPart(string page, string command, string[] words)
    {
        if (words is ["dotnet", var verb, ..])
        {
            Assert.True(DotnetCommands.Contains(verb), $"{page}: {command}: no such dotnet command");
            if (verb == "cake")
                Assert.All(words.Where(w => w.StartsWith(Target, StringComparison.Ordinal)), w => Assert.Contains($"Task(\"{w[Target.Length..]}\")", File.ReadAllText(Repository.File("build.cake"))));
            int project = Array.IndexOf(words, "--project");
            if (project >= 0)
                Assert.True(Directory.Exists(Repository.File(words[project + 1])), $"{page}: {command}: no such project");
            int rest = Array.IndexOf(words, "--");
            if (rest >= 0 && project >= 0 && words[project + 1] == "Cli")
                CheckTool(page, command, words[(rest + 1)..]);
        }
        else if (words is ["cudaseq", _, ..])
        {
            CheckTool(page, command, words[1..]);
        }
    }

    private static void CheckTool(string page, string command, string[] words)
    {
        if (words.Length == 0 || words[0].StartsWith('-'))
            return;
        var verb = CommandLine.Verbs().FirstOrDefault(v => v.Name == words[0]);
        Assert.True(verb is not null, $"{page}: {command}: no such verb");
        if (verb.Verbs.Count > 0 && words is [_, var second, ..])
        {
            verb = verb.Verbs.FirstOrDefault(v => v.Name == second);
            Assert.True(verb is not null, $"{page}: {command}: no such verb");
        }

        foreach (string option in words.Skip(1).Where(w => w.StartsWith("--", StringComparison.Ordinal) && w is not "--help"))
            Assert.True(verb.Options.Any(o => o.Name == option.Split('=')[0]), $"{page}: {command}: no option {option}");
        foreach (string recipe in words.Where(w => w.StartsWith("recipes/", StringComparison.Ordinal)))
            Assert.True(File.Exists(Repository.File(recipe)), $"{page}: {command}: no {recipe}");
    }

    [GeneratedRegex(@"`((?:dotnet|cudaseq) [^`]+)`")]
    private static partial Regex Inline();

    [GeneratedRegex(@"`((?:Kernels|Tensors|Models|Cli|Benchmarks|Tests|recipes|docs|eng|\.ci)/[\w./-]*[\w/])`")]
    private static partial Regex Paths();

    [GeneratedRegex(@" [<>] ")]
    private static partial Regex Redirection();

    [GeneratedRegex(@"^[A-Z_][A-Za-z_0-9]*=")]
    private static partial Regex Variable();
}
