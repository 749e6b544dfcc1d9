using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class TopicMemoryTests
{
    private const int Words = 10, Topics = 3, Width = 6;

    private static readonly int[][] Texts = [[4, 5, 6], [7, 8], [9, 4, 4, 5, 8]];

    private static readonly int[] Classes = [0, 2, 1];

    [Theory, Devices]
    public void LogitsAndGradientsAreThoseOfTheEquations(string name)
    {
        using var device = TestDevices.Open(name);
        var topics = Found();
        foreach (var weights in Enum.GetValues<TopicWeights>())
        {
            using var scope = TensorScope.Begin();
            using var model = Made(device, weights, topics);
            var names = model.NamedParameters().Select(p => p.Name).ToList();
            float[][] at = [.. model.Parameters.Select(p => p.ToArray())];
            float[] outer = FiniteDifference.Normals(4, Texts.Length * 3);
            var logits = model.Logits(Texts);
            FiniteDifference.Near(Loops([.. at.Select(v => Array.ConvertAll(v, e => (double)e))], names, weights, topics), logits.ToArray());
            logits.Backward(Tensor.From(device, outer, logits.Shape));

            // Method 1 asks no keys.
            int[] used = [.. Enumerable.Range(0, at.Length).Where(i => weights != TopicWeights.Summed || !(names[i].StartsWith("key", StringComparison.Ordinal) || names[i].StartsWith("query", StringComparison.Ordinal)))];
            FiniteDifference.Check(
                p => Loops([.. at.Select((v, i) => used.Contains(i) ? p[Array.IndexOf(used, i)] : Array.ConvertAll(v, e => (double)e))], names, weights, topics).Zip(outer, (v, d) => v * d).Sum(),
                [.. used.Select(i => at[i])],
                [.. used.Select(i => model.Parameters.ElementAt(i).Grad!.ToArray())]);
        }
    }

    // Sums of both methods are 2; a text said twice is sharper by method 1 and the same by method 0.
    [Fact]
    public void MethodsDifferInTheirSumsAndInWhatLengthDoes()
    {
        using var device = TestDevices.Open(TestDevices.Processor);
        using var scope = TensorScope.Begin();
        var topics = Found();
        foreach (var weights in Enum.GetValues<TopicWeights>())
        {
            using var model = Made(device, weights, topics);
            float[] p = model.TopicProbabilities([[4, 5], [4, 5, 4, 5]]).ToArray();
            Assert.Equal(weights == TopicWeights.Both ? 2 : 1, p[..Topics].Sum(), 1e-5f);
            if (weights == TopicWeights.Attended)
                FiniteDifference.Near(Array.ConvertAll(p[..Topics], v => (double)v), p[Topics..]);
            if (weights == TopicWeights.Summed)
                Assert.True(p[Topics..].Max() > p[..Topics].Max() + 0.01);
        }
    }

    // Three groups of words that are never said together are three topics; special tokens and words never said have none.
    [Fact]
    public void WordsSaidTogetherShareATopic()
    {
        var statistics = new WordStatistics(14);
        foreach (int group in (int[])[0, 1, 2])
        {
            for (int i = 0; i < 30; i++)
                statistics.Add([0, 4 + (3 * group) + (i % 3), 4 + (3 * group) + ((i + 1) % 3), 4 + (3 * group) + ((i + 1) % 3)]);
        }

        Assert.Equal((20, 10, 0, 0), (statistics[4, 4], statistics[4, 5], statistics[4, 7], statistics[0, 4]));
        var topics = WordTopics.Factorize(statistics, 3);
        int[] of = [.. Enumerable.Range(4, 9).Select(w => Enumerable.Range(0, 3).MaxBy(k => topics[w, k]))];
        Assert.Equal([of[0], of[0], of[0], of[3], of[3], of[3], of[6], of[6], of[6]], of);
        Assert.Equal(3, of.Distinct().Count());
        for (int word = 0; word < 14; word++)
            Assert.Equal(word is >= 4 and < 13 ? 1 : 0, Enumerable.Range(0, 3).Sum(k => topics[word, k]), 1e-12);
        for (int i = 1; i < topics.Errors.Count; i++)
            Assert.True(topics.Errors[i] <= topics.Errors[i - 1] + 1e-9, $"update {i}: {topics.Errors[i - 1]} to {topics.Errors[i]}");
        Assert.True(topics.Errors[^1] < topics.Errors[0] / 4);
    }

    // What crosses is the table of counts: summed, it is the table of all texts, and the topics are the same numbers.
    [Fact]
    public void TopicsNeedNoTextOfAnyNode()
    {
        var nodes = SyntheticTasks.Domains(20, 1);
        int vocabulary = SyntheticTasks.DomainVocabulary;
        var summed = WordTopics.Factorize(WordStatistics.Sum([.. nodes.Select(n => WordStatistics.Of(vocabulary, n.Train.Select(t => t.Tokens)))]), 3, updates: 20);
        var pooled = WordTopics.Factorize(WordStatistics.Of(vocabulary, nodes.SelectMany(n => n.Train).Select(t => t.Tokens)), 3, updates: 20);
        Assert.Equal(pooled.Errors, summed.Errors);
        Assert.All(Enumerable.Range(0, vocabulary), w => Assert.Equal(pooled[w, 1], summed[w, 1]));
        Assert.NotEqual(pooled.Errors, WordTopics.Factorize(WordStatistics.Of(vocabulary, nodes[0].Train.Select(t => t.Tokens)), 3, updates: 20).Errors);
    }

    // Train beside its definition: gradients summed over the nodes, clipped together, one update of Adam, and the first epoch of the best mean macro-F1 kept.
    [Theory, Devices]
    public void TrainingIsOneClippedUpdateOfTheServerAfterAnother(string name)
    {
        using var device = TestDevices.Open(name);
        var texts = Texts.Zip(Classes, (t, c) => new ClassifiedText(t, c)).ToArray();
        FederatedNode[] nodes = [new(texts[..1], texts, texts), new(texts[1..2], texts, texts)];
        var options = new FitOptions { Updates = 5, LearningRate = 0.1f, Warmup = 0, MaxNorm = 0.01f };
        var topics = Found();
        using var expected = Made(device, TopicWeights.Attended, topics);
        Tensor[] parameters = [.. expected.Parameters];
        using var adam = new Adam(parameters, new AdamOptions { Beta2 = 0.999f, WeightDecay = options.WeightDecay });
        var scores = new List<double>();
        float[][] best = [];
        for (int update = 0; update < options.Updates; update++)
        {
            foreach (var node in nodes)
            {
                using var scope = TensorScope.Begin();
                Ops.Scale(expected.Loss(node.Train), 0.5f).Backward();
            }

            float norm = GradientNorm.Compute(parameters);
            Assert.True(norm > options.MaxNorm, $"update {update} clips nothing: {norm}");
            adam.Step(options.LearningRate, options.MaxNorm / norm);
            foreach (var parameter in parameters)
                parameter.ZeroGrad();
            double score = expected.MacroF1(texts);
            if (scores.All(s => score > s))
                best = [.. parameters.Select(p => p.ToArray())];
            scores.Add(score);
        }

        using var model = Made(device, TopicWeights.Attended, topics);
        Assert.Equal(scores, model.Train(nodes, options));
        foreach (var (at, parameter) in best.Zip(model.Parameters))
            FiniteDifference.Near(Array.ConvertAll(at, v => (double)v), parameter.ToArray());
    }

    [Fact]
    public void ANodeWithoutTextsIsRefused()
    {
        using var device = TestDevices.Open(TestDevices.Processor);
        using var model = Made(device, TopicWeights.Attended, Found());
        var texts = Texts.Zip(Classes, (t, c) => new ClassifiedText(t, c)).ToArray();
        Assert.Equal("TopicMemory2021: there must be at least one node, got none.", Assert.Throws<ArgumentException>(() => model.Train([], new FitOptions())).Message);
        Assert.Equal(
            "TopicMemory2021: every node must have texts to train on and dev texts, got 3 and 0.",
            Assert.Throws<ArgumentException>(() => model.Train([new(texts, texts, texts), new(texts, [], texts)], new FitOptions())).Message);
    }

    // The gradient of a step is the sum of what each node computes alone with the same parameters, of its loss over the number of nodes.
    [Theory, Devices]
    public void AStepSumsTheNodesGradientsAndUpdatesOnce(string name)
    {
        using var device = TestDevices.Open(name);
        var texts = Texts.Zip(Classes, (t, c) => new ClassifiedText(t, c)).ToArray();
        FederatedNode[] nodes = [new(texts[..2], texts, texts), new(texts[2..], texts, texts)];
        var options = new FitOptions { Updates = 1, LearningRate = 0.1f, Warmup = 0, MaxNorm = 1 };
        var topics = Found();
        float[][] summed;
        using (var alone = Made(device, TopicWeights.Attended, topics))
        {
            summed = [.. alone.Parameters.Select(p => new float[p.Shape.Count])];
            foreach (var node in nodes)
            {
                using var scope = TensorScope.Begin();
                var loss = alone.Loss(node.Train);
                float half = alone.Losses([node.Train, []], null).First().Item();
                Assert.Equal(loss.Item() / 2, half, 1e-6f);
                Ops.Scale(loss, 0.5f).Backward();
                foreach (var (sum, parameter) in summed.Zip(alone.Parameters))
                {
                    float[] gradient = parameter.Grad!.ToArray();
                    for (int i = 0; i < sum.Length; i++)
                        sum[i] += gradient[i];
                    parameter.ZeroGrad();
                }
            }
        }

        using var model = Made(device, TopicWeights.Attended, topics);
        float[][] before = [.. model.Parameters.Select(p => p.ToArray())];
        using (var steps = new FitSteps(model, options))
            steps.Step(_ => model.Losses([.. nodes.Select(n => n.Train)], null));

        // Adam's first step is the rate times the sign of the gradient.
        foreach (var (parameter, (old, gradient)) in model.Parameters.Zip(before.Zip(summed)))
        {
            float[] now = parameter.ToArray();
            for (int i = 0; i < now.Length; i++)
            {
                if (Math.Abs(gradient[i]) > 1e-4)
                    Assert.Equal(old[i] - (0.1 * Math.Sign(gradient[i])), now[i], 1e-3);
            }
        }
    }

    // A last batch of an epoch is what is left.
    [Fact]
    public void EveryTextComesOnceAnEpoch()
    {
        ClassifiedText[] texts = [.. Enumerable.Range(0, 7).Select(i => new ClassifiedText([i], 0))];
        var draw = new TopicMemory2021.Draw(texts, seed: 1);
        var epochs = new List<int[]>();
        for (int epoch = 0; epoch < 3; epoch++)
        {
            var batches = Enumerable.Range(0, 3).Select(_ => draw.Next(3)).ToArray();
            Assert.Equal([3, 3, 1], batches.Select(b => b.Count));
            epochs.Add([.. batches.SelectMany(b => b).Select(t => t.Tokens[0])]);
            Assert.Equal(Enumerable.Range(0, 7), epochs[^1].Order());
        }

        Assert.NotEqual(epochs[0], epochs[1]);
        Assert.NotEqual(epochs[1], epochs[2]);
    }

    [Fact]
    public void TheKeptEpochIsTheBestOnDevAndTestIsNotLookedAt()
    {
        using var device = TestDevices.Open(TestDevices.Processor);
        var node = SyntheticTasks.Domains(32, 1)[0];
        using var model = new TopicMemory2021(new TopicMemoryOptions { Vocabulary = SyntheticTasks.DomainVocabulary }, null);
        model.Initialize(device, new RandomSource(1));
        var scores = model.Train([node with { Test = [] }], new FitOptions { Updates = 40, LearningRate = 0.03f });
        Assert.Equal(20, scores.Count);
        Assert.Equal(scores.Max(), model.MacroF1(node.Dev), 1e-12);
    }

    [Fact]
    public void AMemoryOfTopicsTellsDomainsApart()
    {
        using var device = new CpuDevice(1);
        var table = SyntheticExperiments.TopicMemory(device, [1], updates: 600);
        foreach (string baseline in (string[])["one owner", "federated, no memory", "pooled, no memory"])
            Assert.True(table["federated, topic memory", "macro-F1"].Mean > table[baseline, "macro-F1"].Mean + 0.02, table.ToString());
    }

    [Fact]
    public void WhatDoesNotFitIsRefused()
    {
        using var device = TestDevices.Open(TestDevices.Processor);
        var topics = Found();
        Refuses<ArgumentException>(
            "TopicMemory2021: the vocabularies of model and topics must be the same, got 11 and 10.", () => new TopicMemory2021(new TopicMemoryOptions { Vocabulary = 11 }, topics));
        Refuses<ArgumentException>("WordStatistics: vocabularies must be the same, got 10 and 11.", () => WordStatistics.Sum([new WordStatistics(10), new WordStatistics(11)]));
        Refuses<ArgumentOutOfRangeException>("WordStatistics: the vocabulary must have more than the 4 special tokens, got 4.", () => new WordStatistics(4));
        Refuses<ArgumentOutOfRangeException>("WordStatistics: the vocabulary must have at most 46340 tokens, whose pairs are counted in one table, got 46341.", () => new WordStatistics(46_341));
        Refuses<ArgumentOutOfRangeException>("WordStatistics: the vocabulary must have at most 46340 tokens, whose pairs are counted in one table, got 65536.", () => new WordStatistics(65_536));
        Refuses<ArgumentOutOfRangeException>("WordTopics: topics must be at least 1, got 0.", () => WordTopics.Factorize(new WordStatistics(5), 0));
        using var model = new TopicMemory2021(new TopicMemoryOptions { Vocabulary = Words, Width = Width }, null);
        model.Initialize(device, new RandomSource(1));
        using var scope = TensorScope.Begin();
        Refuses<InvalidOperationException>("TopicMemory2021: a model without topics has no weights of them.", () => model.TopicProbabilities(Texts));

        static void Refuses<TException>(string message, Action call)
            where TException : Exception
            => Assert.Equal(message, Assert.Throws<TException>(call).Message);
    }

    private static WordTopics Found() => WordTopics.Factorize(WordStatistics.Of(Words, [.. Texts, [5, 6], [8, 9], [4, 7]]), Topics, updates: 30);

    private static TopicMemory2021 Made(Device device, TopicWeights weights, WordTopics topics)
    {
        var model = new TopicMemory2021(new TopicMemoryOptions { Vocabulary = Words, Width = Width, Weights = weights }, topics);
        model.Initialize(device, new RandomSource(3));
        foreach (var (name, tensor) in model.NamedParameters().Where(p => p.Name.EndsWith("bias", StringComparison.Ordinal)))
            tensor.CopyFrom(FiniteDifference.Normals(name.Length, (int)tensor.Shape.Count, 0.3));
        return model;
    }

    private static double[] Loops(double[][] p, List<string> names, TopicWeights weights, WordTopics topics)
    {
        var logits = new double[Texts.Length * 3];
        for (int b = 0; b < Texts.Length; b++)
        {
            int[] text = Texts[b];
            double[] h = [.. Enumerable.Range(0, Width).Select(d => text.Average(w => Math.Sqrt(Width) * Of("embedding.weight")[(w * Width) + d]))];
            double[] sums = [.. Enumerable.Range(0, Topics).Select(k => text.Sum(w => topics[w, k]))];
            double[] query = [.. Enumerable.Range(0, Width).Select(o => Math.Tanh(Mapped("query", h, o)))];
            double[] scores = [.. sums.Select(s => Enumerable.Range(0, Width).Sum(d => query[d] * Math.Tanh((Of("key.weight")[d] * s / text.Length) + Of("key.bias")[d])))];
            double[] weight = new double[Topics];
            for (int k = 0; k < Topics; k++)
            {
                weight[k] = (weights != TopicWeights.Summed ? Math.Exp(scores[k]) / scores.Sum(Math.Exp) : 0)
                    + (weights != TopicWeights.Attended ? Math.Exp(sums[k]) / sums.Sum(Math.Exp) : 0);
            }

            for (int d = 0; d < Width; d++)
                h[d] += Enumerable.Range(0, Topics).Sum(k => weight[k] * Mapped("value", Of("values")[(k * Width)..((k + 1) * Width)], d));
            for (int c = 0; c < 3; c++)
                logits[(b * 3) + c] = Mapped("classes", h, c);
        }

        return logits;

        double[] Of(string name) => p[names.IndexOf(name)];

        double Mapped(string name, double[] x, int row) => Of($"{name}.bias")[row] + Enumerable.Range(0, x.Length).Sum(i => Of($"{name}.weight")[(row * x.Length) + i] * x[i]);
    }
}
