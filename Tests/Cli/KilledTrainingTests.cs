using System.Diagnostics;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>The tool as a process of its own, killed without warning again and again.</summary>
public sealed class KilledTrainingTests : IDisposable
{
    private const int Updates = 120;

    private const string Recipe = """
        {
          "name": "killed",
          "architecture": "dynamicconv",
          "model": {
            "model_width": 32, "feed_forward_width": 64, "attention_heads": 2, "encoder_layers": 1, "decoder_layers": 1,
            "encoder_kernel_widths": [3], "decoder_kernel_widths": [3], "weight_dropout": 0.1, "share_embeddings": "decoder"
          },
          "data": { "train": ["train.a", "train.b"], "valid": ["valid.a", "valid.b"], "tokenizer": "word", "joint": false },
          "training": { "batch_tokens": 300, "learning_rate": 0.001, "warmup_updates": 10, "max_updates": 120, "validate_every": 10 },
          "decoding": { "beam": 2, "max_length_b": 12 }
        }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("cudaseq-killed-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void KilledInALoopItEndsWhereAnUndisturbedRunEnds()
    {
        WriteData();
        string straight = Path.Combine(_folder, "straight"), killed = Path.Combine(_folder, "killed");
        using (var process = Start(straight, resume: false))
        {
            Assert.True(process.WaitForExit(120_000), "the undisturbed run did not end");
            Assert.Equal(0, process.ExitCode);
        }

        var random = new Random(5);
        int kills = 0;
        while (true)
        {
            using var process = Start(killed, resume: true);
            bool ended = kills < 6 ? WaitThenKill(process, random) : process.WaitForExit(120_000);
            foreach (string name in (string[])["best.safetensors", "last.safetensors"])
            {
                string path = Path.Combine(killed, name);
                if (File.Exists(path))
                    Checkpoint.ReadHeader(path);
            }

            if (ended)
            {
                Assert.Equal(0, process.ExitCode);
                break;
            }

            kills++;
        }

        foreach (string name in (string[])["last.safetensors", "best.safetensors"])
            Assert.True(File.ReadAllBytes(Path.Combine(straight, name)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(killed, name))), $"{name} differs after {kills} kills");
        var updates = TrainingLog.Read(Path.Combine(killed, "log.jsonl")).Where(e => (string?)e["event"] == "validation").Select(e => (long)e["update"]!).ToList();
        Assert.Equal(Enumerable.Range(1, Updates / 10).Select(i => 10L * i), updates);
    }

    // Lets the run come some way beyond its last checkpoint, then ends it with SIGKILL.
    private static bool WaitThenKill(Process process, Random random)
    {
        if (process.WaitForExit(600 + random.Next(900)))
            return true;
        process.Kill();
        process.WaitForExit();
        return false;
    }

    private Process Start(string output, bool resume)
    {
        var start = Tool.StartInfo("train", Path.Combine(_folder, "recipe.json"), "--data", _folder, "--out", output);
        if (resume)
            start.ArgumentList.Add("--resume");
        var process = Process.Start(start)!;
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private void WriteData()
    {
        File.WriteAllText(Path.Combine(_folder, "recipe.json"), Recipe);
        var random = new Random(11);
        foreach (var (name, lines) in (List<(string, int)>)[("train", 300), ("valid", 12)])
        {
            string[] text = [.. Enumerable.Range(0, lines).Select(_ => string.Join(' ', Enumerable.Range(0, 2 + random.Next(6)).Select(_ => $"w{random.Next(20)}")))];
            File.WriteAllLines(Path.Combine(_folder, name + ".a"), text);
            File.WriteAllLines(Path.Combine(_folder, name + ".b"), text.Select(l => string.Join(' ', l.Split(' ').Reverse())));
        }
    }
}
