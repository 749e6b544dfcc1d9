using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class CrowdForecastsTests
{
    // Newest first, as published. The text "same" comes twice: the newest copy stays. User 1 says something on three days.
    private const string Json = """
        {"question_id": 7, "title": "Will it?", "correct_answer": "Yes", "crowd_forecast": 0.25, "preds": [
          [1, "2020-01-05T10:00:00Z", 0.9, "same"],
          [2, "2020-01-05T09:00:00Z", 0.5, "b"],
          [1, "2020-01-03T23:59:59Z", 0.1, "c"],
          [3, "2020-01-03T00:00:00Z", 0.6, "same"],
          [1, "2020-01-01T12:00:00Z", 0.2, "d"],
          [2, "2020-01-01T11:00:00Z", 0.3, null]]}
        """;

    [Fact]
    public void APublishedFileIsRead()
    {
        var question = CrowdQuestion.Parse("q.json", Json);
        Assert.Equal(("7", "Will it?", true, 0.25, 6), (question.Id, question.Title, question.Answer, question.Crowd, question.Forecasts.Count));
        Assert.Equal(new CrowdForecast(2, new DateTimeOffset(2020, 1, 1, 11, 0, 0, TimeSpan.Zero), 0.3, string.Empty), question.Forecasts[^1]);
        using var folder = new TemporaryFolder();
        string path = folder.File("question_7.json", Json);
        Assert.Equal("7", Assert.Single(CrowdQuestion.ReadFolder(Path.GetDirectoryName(path)!)).Id);
    }

    [Fact]
    public void DuplicatesGoBeforeTheForecastsAreSorted()
    {
        var days = CrowdQuestion.Parse("q.json", Json).Instances(CrowdSetting.Daily);
        Assert.Equal(["/d", "c", "b/same"], days.Select(d => string.Join('/', d.Forecasts.Select(f => f.Text))));
        Assert.Equal([0, 1, 2], days.Select(d => d.Day));
        Assert.All(days, d => Assert.All(d.Past, Assert.False));
        Assert.Equal([0, 1, 2], days.Select(d => d.Quarter));
    }

    [Fact]
    public void AnActiveForecastIsAUsersLastOfTenDaysThatHaveForecasts()
    {
        var days = CrowdQuestion.Parse("q.json", Json).Instances(CrowdSetting.Active);
        Assert.Equal(["/d", "/c", "b/same"], days.Select(d => string.Join('/', d.Forecasts.Select(f => f.Text))));
        Assert.Equal([true, false], days[1].Past);

        // One a week: the days between do not count.
        var weekly = new CrowdQuestion("w", "t", false, null, [.. Enumerable.Range(0, 15).Select(i => new CrowdForecast(i, new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero).AddDays(7 * i), 0.5, $"{i}"))]);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10, 10, 10], weekly.Instances(CrowdSetting.Active).Select(d => d.Forecasts.Count));
        Assert.Equal(["5", "14"], new[] { 0, ^1 }.Select(i => weekly.Instances(CrowdSetting.Active)[^1].Forecasts[i].Text));
    }

    [Fact]
    public void QuartersAreOfTheDaysWithForecasts()
    {
        var question = CrowdQuestion.Parse("q.json", Json);
        Assert.Equal([0, 0, 1, 1, 2, 2, 3], Enumerable.Range(0, 7).Select(d => new CrowdInstance(question, d, 7, [], []).Quarter));
    }

    // A half is rounded to the even number by both, but half of the votes are a majority.
    [Fact]
    public void VotesRoundAsPublished()
    {
        Assert.False(CrowdVotes.Majority([0.5]));
        Assert.False(CrowdVotes.Weighted([0.5]));
        Assert.True(CrowdVotes.Majority([0.9, 0.1]));
        Assert.False(CrowdVotes.Weighted([0.75, 0.25]));
        Assert.True(CrowdVotes.Weighted([0.75, 0.26]));
        Assert.True(CrowdVotes.Majority([0.51, 0.5]));
        Assert.False(CrowdVotes.Majority([0.51, 0.5, 0.5]));
    }

    [Fact]
    public void ReportsCountByQuarter()
    {
        var instances = CrowdQuestion.Parse("q.json", Json).Instances(CrowdSetting.Daily);
        var report = CrowdVotes.Report(instances, weighted: true);
        Assert.Equal([false, false, true], report.Right);
        Assert.Equal([0, 0, 1, double.NaN], report.Quarters.Select(q => q.Accuracy));
        Assert.Equal((Math.Pow(0.75, 2) + Math.Pow(0.9, 2) + Math.Pow(0.3, 2)) / 3, report.Overall.Brier, 1e-12);
        Assert.Equal(0, CrowdVotes.AlwaysNo(instances).Overall.Accuracy);
    }

    // Of two baselines the better one counts: it is right about a, c, d on all days, about b and e on one of two, about f and g on none.
    [Fact]
    public void DifficultyIsWhatTheBestBaselineMissesOfAQuestion()
    {
        var questions = "defgabc".ToDictionary(c => c, c => new CrowdQuestion($"{c}", "t", true, null, []));
        CrowdInstance[] instances = [.. "ddefgabcebf".Select(c => new CrowdInstance(questions[c], 0, 1, [], []))];
        double[] sure = [.. instances.Select(_ => 0.75)];
        var best = Report([true, true, true, false, false, true, true, true, false, false, false]);
        var worse = Report([.. instances.Select(i => i.Question.Id is "f" or "g")]);
        Assert.True(best.Overall.Accuracy > worse.Overall.Accuracy);

        // The easiest first, and by name where they are as hard: a c, d b, e f, g.
        var always = Report([.. instances.Select(_ => true)]);
        Assert.Equal([2, 4, 4, 1], always.ByDifficulty(worse, best).Select(s => s.Count));
        Assert.Equal([1, 0.75, 0.25, 0], best.ByDifficulty(worse, best).Select(s => s.Accuracy));
        Assert.Equal([0, 0, 0.5, 1], worse.ByDifficulty(best, worse).Select(s => s.Accuracy));
        Assert.All(always.ByDifficulty(best), s => Assert.Equal(0.0625, s.Brier));
        Assert.Equal("CrowdReport: difficulty must be measured by a baseline, got none.", Assert.Throws<ArgumentException>(() => best.ByDifficulty()).Message);
        var fewer = CrowdReport.Of(instances[1..], sure[1..], new bool[10]);
        Assert.Equal("CrowdReport: a baseline must be of the same instances, got 10 that are not these 11.", Assert.Throws<ArgumentException>(() => best.ByDifficulty(fewer)).Message);

        CrowdReport Report(bool[] decisions) => CrowdReport.Of(instances, sure, decisions);
    }

    [Theory, Devices]
    public void LogitsAreDroppedInTrainingAlone(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var question = CrowdQuestion.Parse("q.json", Json);
        CrowdInstance[] days = [.. Enumerable.Repeat(question.Instances(CrowdSetting.Daily)[2], 64)];
        using var model = new CrowdForecasts2021(new CrowdForecastsOptions { Dropout = 0, LogitDropout = 0.5f, WordWidth = 8, TextWidth = 4, Hidden = 4 }, CrowdForecasts2021.Words([question]));
        model.Initialize(device, new RandomSource(1));
        float logit = model.Logits(days).ToArray()[0];
        float[] dropped = model.Logits(days, new RandomSource(2)).ToArray();
        Assert.NotEqual(0, logit);
        Assert.InRange(dropped.Count(v => v == 0), 16, 48);
        Assert.All(dropped, v => Assert.True(v == 0 || Math.Abs(v - (2 * logit)) < 1e-5f));
        using var without = new CrowdForecasts2021(new CrowdForecastsOptions { Dropout = 0, WordWidth = 8, TextWidth = 4, Hidden = 4 }, CrowdForecasts2021.Words([question]));
        without.Initialize(device, new RandomSource(1));
        Assert.All(without.Logits(days, new RandomSource(2)).ToArray(), v => Assert.Equal(logit, v, 1e-6f));
    }

    [Fact]
    public void QuestionsAreSplitAndNotTheirDays()
    {
        var (train, dev, test) = CrowdForecasts2021.Split(SyntheticTasks.Crowd(441, 1), 1);

        // Beyond the month that they begin in.
        Assert.Equal(new DateTime(2020, 2, 9), SyntheticTasks.Crowd(1, 1, days: 40)[0].Forecasts.Max(f => f.Time.Date));
        Assert.Equal("SyntheticTasks: a question must have at least 1 day, got 0.", Assert.Throws<ArgumentOutOfRangeException>(() => SyntheticTasks.Crowd(1, 1, days: 0)).Message);
        Assert.Equal("SyntheticTasks: a text must have at least 8 tokens, got 7.", Assert.Throws<ArgumentOutOfRangeException>(() => SyntheticTasks.NearestMatch(1, 1, length: 7)).Message);
        Assert.Equal((308, 45, 88), (train.Count, dev.Count, test.Count));
        Assert.Equal(441, train.Concat(dev).Concat(test).Select(q => q.Id).Distinct().Count());
        using var device = TestDevices.Open(TestDevices.Processor);
        using var model = new CrowdForecasts2021(new CrowdForecastsOptions(), CrowdForecasts2021.Words(train));
        model.Initialize(device, new RandomSource(1));
        var days = train[0].Instances(CrowdSetting.Daily);
        Assert.Equal(
            $"CrowdForecasts2021: a question must be trained on or chosen by, not both, got {train[0].Id} in both.",
            Assert.Throws<ArgumentException>(() => model.Train(days, days, new FitOptions())).Message);
    }

    // Two questions of the same forecasts and opposite answers: half of the answers are right, whatever was learned.
    [Fact]
    public void TrainingEndsWhenTheAccuracyNoLongerGrowsAndKeepsTheFirstBestEpoch()
    {
        var questions = SyntheticTasks.Crowd(4, 1, days: 3);
        CrowdInstance[] train = [.. questions.Take(2).SelectMany(q => q.Instances(CrowdSetting.Daily))];
        CrowdInstance[] dev = [.. ((bool[])[true, false]).SelectMany(answer => (questions[2] with { Id = $"dev {answer}", Answer = answer }).Instances(CrowdSetting.Daily))];
        using var device = TestDevices.Open(TestDevices.Processor);
        var options = new FitOptions { Updates = 1000, LearningRate = 0.01f, Warmup = 0 };
        int epoch = (train.Length + 3) / 4;
        using CrowdForecasts2021 model = Made(), once = Made();
        Assert.Equal([0.5, 0.5, 0.5], model.Train(train, dev, options, batchSize: 4, patience: 2));
        Assert.Equal([0.5], once.Train(train, dev, options with { Updates = epoch }, batchSize: 4, patience: 2));
        foreach (var (kept, first) in model.Parameters.Zip(once.Parameters))
            Assert.Equal(first.ToArray(), kept.ToArray());
        Assert.Equal(
            $"CrowdForecasts2021: there must be instances to train on and to choose by, got {train.Length} and 0.",
            Assert.Throws<ArgumentException>(() => model.Train(train, [], options)).Message);

        CrowdForecasts2021 Made()
        {
            var made = new CrowdForecasts2021(new CrowdForecastsOptions { WordWidth = 8, TextWidth = 4, Hidden = 4 }, CrowdForecasts2021.Words(questions));
            made.Initialize(device, new RandomSource(1));
            return made;
        }
    }

    [Theory, Devices]
    public void AnAnswerDoesNotDependOnTheBatchUnlessPaddingIsRead(string name)
    {
        using var device = TestDevices.Open(name);
        var question = CrowdQuestion.Parse("q.json", Json);
        var days = question.Instances(CrowdSetting.Active);
        foreach (bool reads in (bool[])[false, true])
        {
            using var scope = TensorScope.Begin();
            using var model = new CrowdForecasts2021(
                new CrowdForecastsOptions { ReadPadding = reads, Question = true, WordWidth = 8, TextWidth = 4, Hidden = 4 }, CrowdForecasts2021.Words([question]));
            model.Initialize(device, new RandomSource(1));
            var shorter = new CrowdInstance(question, 0, 1, [days[0].Forecasts[0]], [false]);
            float alone = model.Logits([shorter]).ToArray()[0], beside = model.Logits([shorter, days[2]]).ToArray()[0];
            Assert.Equal(reads, Math.Abs(alone - beside) > 1e-4);
        }
    }

    // Title, text, probability, flag; oldest first; relu of the mean embedding, which is times the root of its width, of no words the bias alone.
    [Theory, Devices]
    public void LogitsAreThoseOfTheEquations(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var question = CrowdQuestion.Parse("q.json", Json);
        foreach (bool reads in (bool[])[false, true])
            CheckLogits(device, question, reads);
    }

    // Padding that is read has a probability of -1 and no words.
    private static void CheckLogits(CudaSeq.Kernels.Device device, CrowdQuestion question, bool reads)
    {
        using var model = new CrowdForecasts2021(
            new CrowdForecastsOptions { ReadPadding = reads, Question = true, WordWidth = 4, TextWidth = 3, Hidden = 2 }, CrowdForecasts2021.Words([question]));
        model.Initialize(device, new RandomSource(1));
        var noise = new RandomSource(2);
        foreach (var parameter in model.Parameters)
        {
            var values = new float[parameter.Shape.Count];
            noise.Normal(values, 0, 0.7f);
            parameter.CopyFrom(values);
        }

        var w = model.NamedParameters().ToDictionary(p => p.Name, p => Array.ConvertAll(p.Tensor.ToArray(), v => (double)v));
        IReadOnlyList<CrowdInstance> days = question.Instances(CrowdSetting.Active);
        days = [.. days, new CrowdInstance(question, 0, 1, [days[0].Forecasts[0]], [false])];
        Assert.Contains(days, d => d.Forecasts.Count > 1 && d.Past.Contains(true) && d.Past.Contains(false));
        int longest = days.Max(d => d.Forecasts.Count);
        Assert.Contains(days, d => d.Forecasts.Count < longest);
        float[] got = model.Logits(days).ToArray();
        for (int i = 0; i < days.Count; i++)
            Assert.Equal(Expected(days[i]), got[i], 1e-5);

        double Expected(CrowdInstance day)
        {
            double[] h = new double[2], c = new double[2];
            for (int t = 0; t < (reads ? longest : day.Forecasts.Count); t++)
            {
                bool isPadding = t >= day.Forecasts.Count;
                double[] forecast = isPadding ? [-1, 0] : [day.Forecasts[t].Probability, day.Past[t] ? 1 : 0];
                double[] x = [.. Encoded("question", question.Title), .. Encoded("text", isPadding ? "" : day.Forecasts[t].Text), .. forecast];
                double[] gates = Sum(Product("lstm.weight_ih", x), w["lstm.bias_ih"], Product("lstm.weight_hh", h), w["lstm.bias_hh"]);
                c = [.. c.Select((v, k) => (Sigmoid(gates[2 + k]) * v) + (Sigmoid(gates[k]) * Math.Tanh(gates[4 + k])))];
                h = [.. c.Select((v, k) => Sigmoid(gates[6 + k]) * Math.Tanh(v))];
            }

            return Product("out.weight", h)[0] + w["out.bias"][0];
        }

        double[] Encoded(string layer, string text)
        {
            int[] words = [.. text.ToLowerInvariant().Split([' ', '?'], StringSplitOptions.RemoveEmptyEntries).Select(CrowdForecasts2021.Words([question]).IndexOf)];
            double[] mean = [.. Enumerable.Range(0, 4).Select(k => words.Length == 0 ? 0 : words.Average(word => Math.Sqrt(4) * w["embedding.weight"][(4 * word) + k]))];
            return [.. Sum(Product($"{layer}.weight", mean), w[$"{layer}.bias"]).Select(v => Math.Max(v, 0))];
        }

        double[] Product(string weight, double[] x) => [.. w[weight].Chunk(x.Length).Select(row => row.Zip(x, (a, b) => a * b).Sum())];
        static double[] Sum(params double[][] terms) => [.. terms[0].Select((_, k) => terms.Sum(t => t[k]))];
        static double Sigmoid(double v) => 1 / (1 + Math.Exp(-v));
    }

    [Theory, Devices]
    public void TheLossIsBinaryCrossEntropy(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        float[] logits = [0.3f, -2, 100, -100];
        bool[] answers = [true, false, false, true];
        var x = Tensor.From(device, logits).AsParameter();
        var loss = PaperLosses.BinaryCrossEntropy(x, answers);
        Assert.Equal((Math.Log(1 + Math.Exp(-0.3f)) + Math.Log(1 + Math.Exp(-2)) + 200) / 4, loss.Item(), 1e-4);
        loss.Backward();
        float[] gradient = x.Grad!.ToArray();
        for (int i = 0; i < 4; i++)
            Assert.Equal(((1 / (1 + Math.Exp(-logits[i]))) - (answers[i] ? 1 : 0)) / 4, gradient[i], 1e-6);
    }

    [Fact]
    public void JustificationsBeatTheVotes()
    {
        using var device = new CudaSeq.Kernels.CpuDevice(1);
        var table = SyntheticExperiments.CrowdForecasts(device, [1], CrowdSetting.Daily, updates: 600);
        foreach (string baseline in (string[])["always no", "majority vote", "weighted vote", "LSTM, no justifications"])
        {
            Assert.True(table["LSTM", "accuracy"].Mean > table[baseline, "accuracy"].Mean + 0.1, table.ToString());
            Assert.True(table["LSTM", "Brier"].Mean < table[baseline, "Brier"].Mean, table.ToString());
        }

        Assert.InRange(table["LSTM", "p against weighted"].Mean, 0, 0.001);
    }

    // The published data, where they are at hand: accuracies over all 441 questions and by quarter, computed by other code from the rules of the published one.
    [Fact]
    public void VotesOnThePublishedQuestions()
    {
        string folder = Path.Combine(Environment.GetEnvironmentVariable("CUDASEQ_DATA") ?? Repository.File("../shared/data"), "gjo");
        Assert.SkipUnless(Directory.Exists(folder), $"{folder} is not there");
        var questions = CrowdQuestion.ReadFolder(folder);
        Assert.Equal((441, 106, 101_963), (questions.Count, questions.Count(q => q.Answer), questions.Sum(q => q.Forecasts.Count)));
        var daily = questions.SelectMany(q => q.Instances(CrowdSetting.Daily)).ToArray();
        var active = questions.SelectMany(q => q.Instances(CrowdSetting.Active)).ToArray();
        Assert.Equal((32_708, 32_708, 96_664), (daily.Length, active.Length, daily.Sum(d => d.Forecasts.Count)));
        Assert.Equal("74.69 66.38 71.07 76.64 84.99", Shown(CrowdVotes.Report(daily, weighted: false)));
        Assert.Equal("76.75 69.08 73.63 78.49 86.13", Shown(CrowdVotes.Report(daily, weighted: true)));
        Assert.Equal("80.50 72.06 76.84 83.66 89.74", Shown(CrowdVotes.Report(active, weighted: false)));
        Assert.Equal("80.99 72.52 77.80 83.80 90.14", Shown(CrowdVotes.Report(active, weighted: true)));
        Assert.Equal("79.37", Shown(CrowdVotes.AlwaysNo(daily))[..5]);

        static string Shown(CrowdReport report)
            => string.Join(' ', report.Quarters.Prepend(report.Overall).Select(s => FormattableString.Invariant($"{100 * s.Accuracy:0.00}")));
    }

    [Theory]
    [InlineData("[]", "q.json: must be an object, got [].")]
    [InlineData("""{"question_id": 1, "title": "t", "preds": []}""", "q.json: must have correct_answer.")]
    [InlineData("""{"question_id": 1, "title": "t", "correct_answer": "Maybe", "preds": []}""", "q.json: correct_answer must be Yes or No, got \"Maybe\".")]
    [InlineData("""{"question_id": 1, "title": "t", "correct_answer": "No", "preds": []}""", "q.json: preds must be a list with a forecast, got [].")]
    [InlineData("""{"question_id": 1, "title": 2, "correct_answer": "No", "preds": [[1, "2020-01-01", 0.5, ""]]}""", "q.json: title must be text, got 2.")]
    [InlineData("""{"question_id": null, "title": "t", "correct_answer": "No", "preds": [1]}""", "q.json: question_id must be a number or a name, got null.")]
    [InlineData("""{"question_id": 1, "title": "t", "correct_answer": "No", "crowd_forecast": 1.5, "preds": [1]}""", "q.json: crowd_forecast must be in 0 .. 1, got 1.5.")]
    [InlineData("""{"question_id": 1, "title": "t", "correct_answer": "No", "preds": [1]}""", "q.json: preds[0] must be [user, time, probability, text], got 1.")]
    [InlineData("""{"question_id": 1, "title": "t", "correct_answer": "No", "preds": [["a", "2020-01-01", 0.5, ""]]}""", "q.json: preds[0]: the user must be a whole number, got \"a\".")]
    [InlineData("""{"question_id": 1, "title": "t", "correct_answer": "No", "preds": [[1, "soon", 0.5, ""]]}""", "q.json: preds[0]: the time must be a date and time, got \"soon\".")]
    [InlineData("""{"question_id": 1, "title": "t", "correct_answer": "No", "preds": [[1, "2020-01-01", 2, ""]]}""", "q.json: preds[0]: the probability must be in 0 .. 1, got 2.")]
    [InlineData("""{"question_id": 1, "title": "t", "correct_answer": "No", "preds": [[1, "2020-01-01", 0.5, 3]]}""", "q.json: preds[0]: the justification must be text, got 3.")]
    public void OtherFilesAreRefused(string json, string message) => Assert.Equal(message, Assert.Throws<InvalidDataException>(() => CrowdQuestion.Parse("q.json", json)).Message);

    [Fact]
    public void WhatIsNoJsonIsRefused()
    {
        Assert.StartsWith("q.json: must be JSON: ", Assert.Throws<InvalidDataException>(() => CrowdQuestion.Parse("q.json", "{")).Message, StringComparison.Ordinal);
        using var folder = new TemporaryFolder();
        Assert.EndsWith(": must hold questions as *.json, got none.", Assert.Throws<InvalidDataException>(() => CrowdQuestion.ReadFolder(folder.PathOf(string.Empty))).Message, StringComparison.Ordinal);
    }
}
