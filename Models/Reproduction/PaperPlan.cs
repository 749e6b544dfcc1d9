using System.Text.Json;

namespace CudaSeq.Models;

/// <summary>A row of a paper's table: a training, another way to decode one, or an analysis of one.</summary>
/// <param name="Name">What the table calls it; also the name of its folders.</param>
internal sealed record PaperRow(string Name)
{
    /// <summary>Keys of the plan's recipe that are others here, as after <c>--set</c>.</summary>
    public IReadOnlyList<string> Set { get; init; } = [];

    /// <summary>An earlier row whose parameters are the first ones of this.</summary>
    public string? From { get; init; }

    /// <summary>An earlier row that this one learns from token by token.</summary>
    public string? Teacher { get; init; }

    /// <summary>An earlier row whose translations of the training sources are what this one learns.</summary>
    public string? Distilled { get; init; }

    /// <summary>An earlier row whose model is decoded otherwise or analysed; nothing is trained then.</summary>
    public string? Of { get; init; }

    /// <summary>How it is decoded, as after <c>cudaseq translate</c>.</summary>
    public IReadOnlyList<string> Decode { get; init; } = [];

    /// <summary>An analysis and its options, as after <c>cudaseq analyze</c>; <c>$DATA/</c> before a file's name stands for the folder of the recipe's files.</summary>
    public IReadOnlyList<string> Analyze { get; init; } = [];

    /// <summary>What of the analysis is kept.</summary>
    public IReadOnlyList<PaperFigure> Figures { get; init; } = [];

    /// <summary>Other seeds than the plan's; null for those.</summary>
    public IReadOnlyList<ulong>? Seeds { get; init; }

    /// <summary>The paper's own figure, in words; null where none is known.</summary>
    public string? Published { get; init; }

    /// <summary>Its name as that of a folder: letters and digits of ASCII in lower case, anything else a hyphen.</summary>
    internal string Folder => string.Concat(Name.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')).Trim('-');

    /// <summary>Whether it is an analysis, which has figures and no score.</summary>
    internal bool IsAnalysis => Analyze.Count > 0;

    /// <summary>The rows that must be there before it.</summary>
    internal IEnumerable<string> Needs => new[] { From, Teacher, Distilled, Of }.OfType<string>();
}

/// <summary>What should hold of the rows. One of the lists says what.</summary>
/// <param name="Text">The claim in words.</param>
internal sealed record PaperClaim(string Text)
{
    /// <summary>Rows, each with a score at least as good as the next one's.</summary>
    public IReadOnlyList<string> AtLeast { get; init; } = [];

    /// <summary>By how many points of BLEU, or of perplexity, a row of <see cref="AtLeast"/> may miss the next.</summary>
    public double Margin { get; init; }

    /// <summary>Two rows, the first of which decodes faster.</summary>
    public IReadOnlyList<string> Faster { get; init; } = [];

    /// <summary>Rows whose training fails: a loss that is not finite, or less than half of the best row's BLEU.</summary>
    public IReadOnlyList<string> Diverge { get; init; } = [];

    /// <summary>Rows whose positions take at most <see cref="MostDepth"/> layers of the decoder in the mean.</summary>
    public IReadOnlyList<string> Shallow { get; init; } = [];

    /// <summary>Layers of the decoder.</summary>
    public double MostDepth { get; init; } = 1;

    /// <summary>Figures, each larger than the one before it.</summary>
    public IReadOnlyList<string> Ascending { get; init; } = [];

    /// <summary>Figures, the first of which is larger than each of the others.</summary>
    public IReadOnlyList<string> Highest { get; init; } = [];

    /// <summary>Figures that are all larger than <see cref="Bound"/>.</summary>
    public IReadOnlyList<string> Above { get; init; } = [];

    /// <summary>What figures of <see cref="Above"/> are compared with.</summary>
    public double Bound { get; init; }

    internal IEnumerable<string> Rows => AtLeast.Concat(Faster).Concat(Diverge).Concat(Shallow);

    internal IEnumerable<string> Figures => Ascending.Concat(Highest).Concat(Above);
}

/// <summary>What of a paper is tried again in miniature, and what should hold of it: a file of <c>recipes/papers</c>.</summary>
/// <param name="Title">The heading of its table.</param>
/// <param name="Paper">Where it was published.</param>
/// <param name="Recipe">The recipe that all rows begin with, by its path from the plan.</param>
/// <param name="Rows">The table's rows in order; a row comes after those that it needs.</param>
internal sealed record PaperPlan(string Title, string Paper, string Recipe, IReadOnlyList<PaperRow> Rows)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectRequiredConstructorParameters = true,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Paragraphs of Markdown above the table.</summary>
    public IReadOnlyList<string> Text { get; init; } = [];

    /// <summary>Each row is trained with each of them, unless it has its own.</summary>
    public IReadOnlyList<ulong> Seeds { get; init; } = [1];

    /// <summary>What should hold.</summary>
    public IReadOnlyList<PaperClaim> Claims { get; init; } = [];

    /// <summary>How often each of two rows decodes the test when their speeds are compared.</summary>
    public int Rounds { get; init; } = 5;

    /// <summary>Reads a plan.</summary>
    /// <param name="path">A JSON file; comments and trailing commas are allowed.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="RecipeException">Everything that is wrong with it, a line each.</exception>
    public static PaperPlan Load(string path)
    {
        if (!File.Exists(path))
            throw TextFile.NotThere(path);
        return FromJson(RecipeParser.ReadText(path), path);
    }

    /// <summary>Reads a plan from its text.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">The file's name as messages give it.</param>
    /// <exception cref="RecipeException">Everything that is wrong with it, a line each.</exception>
    public static PaperPlan FromJson(string json, string source)
    {
        PaperPlan? plan;
        try
        {
            plan = JsonSerializer.Deserialize<PaperPlan>(json, Options);
        }
        catch (JsonException e)
        {
            throw new RecipeException([$"{source}: must be an object with title, paper, recipe and rows ({e.Message.Split(" Path:")[0].TrimEnd('.')})."]);
        }

        if (plan is null)
            throw new RecipeException([$"{source}: must be an object with title, paper, recipe and rows, got null."]);
        string[] problems = [.. plan.Problems().Select(p => $"{source}: {p}")];
        return problems.Length == 0 ? plan : throw new RecipeException(problems);
    }

    /// <summary>The plan as JSON in one line.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Options);

    /// <summary>A row by its name.</summary>
    public PaperRow Row(string name) => Rows.First(r => r.Name == name);

    /// <summary>All seeds of all rows, the plan's own first.</summary>
    internal IReadOnlyList<ulong> AllSeeds => [.. Seeds.Where(s => Rows.Any(r => SeedsOf(r).Contains(s))).Concat(Rows.SelectMany(SeedsOf)).Distinct()];

    /// <summary>The seeds that a row is run with.</summary>
    internal IReadOnlyList<ulong> SeedsOf(PaperRow row) => row.Seeds ?? Seeds;

    /// <summary>The seeds that a claim is judged by: those that all its rows have.</summary>
    internal IReadOnlyList<ulong> SeedsOf(PaperClaim claim)
        => [.. claim.Rows.Select(Row).Concat(claim.Figures.Select(RowOf)).Select(SeedsOf).Aggregate((all, next) => [.. all.Intersect(next)])];

    /// <summary>The row that a figure is of.</summary>
    internal PaperRow RowOf(string figure) => Rows.First(r => r.Figures.Any(f => f.Name == figure));

    private IEnumerable<string> Problems()
    {
        if (Rows.Count == 0)
            yield return "rows must be one at least, got none.";
        if (!AreSeeds(Seeds))
            yield return $"seeds must be one at least, each once, got [{string.Join(", ", Seeds)}].";
        if (Rounds < 1)
            yield return $"rounds must be at least 1, got {Rounds}.";
        var names = new HashSet<string>();
        foreach (var row in Rows)
        {
            foreach (string needed in row.Needs.Where(n => !names.Contains(n)))
                yield return $"row \"{row.Name}\" needs \"{needed}\", which must be a row above it.";
            if (string.IsNullOrWhiteSpace(row.Name) || !names.Add(row.Name))
                yield return $"rows must have names, each once, got \"{row.Name}\".";
            if (row.Seeds is not null && !AreSeeds(row.Seeds))
                yield return $"seeds of row \"{row.Name}\" must be one at least, each once, got [{string.Join(", ", row.Seeds)}].";
            foreach (var needed in row.Needs.Where(names.Contains).Select(Row).Where(n => SeedsOf(row).Except(SeedsOf(n)).Any()))
                yield return $"row \"{row.Name}\" must have no seed that \"{needed.Name}\" lacks, which it needs; got {string.Join(", ", SeedsOf(row).Except(SeedsOf(needed)))}.";
            if (row.Of is not null && (row.Set.Count > 0 || row.From is not null || row.Teacher is not null || row.Distilled is not null))
                yield return $"row \"{row.Name}\" is of \"{row.Of}\", so set, from, teacher and distilled must be left out.";
            if (row.Of is null && row.Decode.Count > 0)
                yield return $"row \"{row.Name}\" must name with of what it decodes.";
            if (row.Of is { } of && Rows.FirstOrDefault(r => r.Name == of)?.Of is not null)
                yield return $"row \"{row.Name}\" must be of a row that is trained, got \"{of}\".";
        }

        foreach (var alike in Rows.Where(r => !string.IsNullOrWhiteSpace(r.Name)).DistinctBy(r => r.Name).GroupBy(r => r.Folder).Where(g => g.Key.Length == 0 || g.Count() > 1))
            yield return $"rows must have names that make folders of their own, got {(alike.Key.Length == 0 ? "no letter or digit in" : $"\"{alike.Key}\" of")} {string.Join(" and ", alike.Select(r => $"\"{r.Name}\""))}.";
        foreach (string problem in Rows.SelectMany(AnalysisProblems))
            yield return problem;
        var figures = new HashSet<string>();
        foreach (string name in Rows.SelectMany(r => r.Figures).Select(f => f.Name).Where(n => string.IsNullOrWhiteSpace(n) || !figures.Add(n)))
            yield return $"figures must have names, each once, got \"{name}\".";
        foreach (var claim in Claims)
        {
            foreach (string unknown in claim.Rows.Where(r => !names.Contains(r)))
                yield return $"claim \"{claim.Text}\" must be about rows of the plan, got \"{unknown}\".";
            foreach (string analysis in claim.Rows.Where(r => Rows.Any(row => row.Name == r && row.IsAnalysis)))
                yield return $"claim \"{claim.Text}\" must be about rows that have scores, \"{analysis}\" is an analysis.";
            foreach (string unknown in claim.Figures.Where(f => !figures.Contains(f)))
                yield return $"claim \"{claim.Text}\" must be about figures of the plan, got \"{unknown}\".";
            if (claim.Rows.All(names.Contains) && claim.Figures.All(figures.Contains) && claim.Rows.Select(Row).Concat(claim.Figures.Select(RowOf)).All(r => r.Seeds is not { Count: 0 }) && claim.Rows.Concat(claim.Figures).Any() && SeedsOf(claim).Count == 0)
                yield return $"claim \"{claim.Text}\" must be about rows that have a seed in common.";
            if (new[] { claim.AtLeast, claim.Faster, claim.Diverge, claim.Shallow, claim.Ascending, claim.Highest, claim.Above }.Count(l => l.Count > 0) != 1
                || claim.AtLeast.Count == 1 || claim.Faster.Count is not (0 or 2) || claim.Ascending.Count == 1 || claim.Highest.Count == 1)
            {
                yield return $"claim \"{claim.Text}\" must have one of at_least (two rows or more), faster (two rows), diverge, shallow, ascending, highest (two figures or more) and above.";
            }
        }
    }

    private static bool AreSeeds(IReadOnlyList<ulong> seeds) => seeds.Count > 0 && seeds.Distinct().Count() == seeds.Count;

    private static IEnumerable<string> AnalysisProblems(PaperRow row)
    {
        if (row.IsAnalysis != (row.Figures.Count > 0))
            yield return $"row \"{row.Name}\" must have both analyze and figures, or neither.";
        if (!row.IsAnalysis)
            yield break;
        if (row.Of is null || row.Decode.Count > 0)
            yield return $"row \"{row.Name}\" must name with of what it analyses, and have no decode.";
        if (Analyses.All.All(a => a.Name != row.Analyze[0]))
            yield return $"row \"{row.Name}\" must begin analyze with the name of an analysis, got \"{row.Analyze[0]}\"; they are {string.Join(", ", Analyses.All.Select(a => a.Name))}.";
        foreach (var figure in row.Figures.Where(f => f.At.Count == 0 || f.At.Any(p => !p.StartsWith('/'))))
            yield return $"figure \"{figure.Name}\" must have with at JSON pointers, which begin with /, got [{string.Join(", ", figure.At)}].";
    }
}
