using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace CudaSeq.Models;

/// <summary>Reads one recipe and collects everything that is wrong with it.</summary>
/// <param name="source">The file's name as error messages give it.</param>
internal sealed class RecipeParser(string source)
{
    private const string CommandLine = "--set";

    private static readonly JsonDocumentOptions Options = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    private readonly List<string> _problems = [];
    private readonly HashSet<string> _broken = [];
    private readonly Dictionary<string, Given> _given = [];

    /// <summary>Reads the text and the settings on top of it.</summary>
    /// <exception cref="RecipeException">Anything is wrong.</exception>
    public Recipe Parse(string json, IReadOnlyList<string> settings)
    {
        Collect(json, []);
        foreach (string setting in settings)
            Set(setting);
        var recipe = new Recipe { Name = Path.GetFileNameWithoutExtension(source) };
        recipe = Preset(recipe);
        foreach (var key in RecipeKeys.All)
        {
            if (_given.TryGetValue(key.Path, out var given))
                recipe = Read(recipe, key, given);
        }

        CheckTogether(recipe);
        return _problems.Count == 0 ? RecipeTaskRules.Resolved(recipe) : throw new RecipeException(_problems);
    }

    // A base first, so that what is nearer takes the place of what is farther.
    private void Collect(string json, string[] above)
    {
        if (string.IsNullOrWhiteSpace(json))
            throw new RecipeException([$"{source}: must be a JSON object, is empty."]);
        JsonElement root;
        try
        {
            root = JsonText.Parse(json, Options).RootElement;
        }
        catch (JsonException e)
        {
            // The parser's own sentence ends in its idea of the position, counted from 0 and in bytes.
            string what = e.Message.Split(" LineNumber:")[0].TrimEnd('.');
            throw new RecipeException([$"{source}: is not JSON{(e.LineNumber is { } line ? $", line {line + 1}" : "")}: {what}."]);
        }

        if (root.ValueKind != JsonValueKind.Object)
            throw new RecipeException([$"{source}: must be a JSON object, got {RecipeKey.Show(root)}."]);
        if (root.TryGetProperty("rows", out _) && root.TryGetProperty("recipe", out _))
            throw new RecipeException([$"{source}: must be a recipe, is the plan of a table, which cudaseq reproduce {Path.GetFileNameWithoutExtension(source)} makes."]);
        if (root.TryGetProperty(RecipeKeys.BaseKey, out var name))
            CollectBase(name, root.TryGetProperty(RecipeKeys.PresetKey, out _), above);
        CollectSection("", root);
    }

    // Of a base everything holds but its name, and its model where a preset takes its place.
    private void CollectBase(JsonElement name, bool hasPreset, string[] above)
    {
        if (name.ValueKind != JsonValueKind.String)
        {
            Problem(source, RecipeKeys.BaseKey, $"must be the path of a recipe from this one, got {RecipeKey.Show(name)}.");
            return;
        }

        if (name.GetString() is not { Length: > 0 } relative)
        {
            Problem(source, RecipeKeys.BaseKey, "must be the path of a recipe from this one, got \"\".");
            return;
        }

        string path = Path.Combine(Path.GetDirectoryName(source) ?? "", relative), full = Path.GetFullPath(path);
        above = [.. above, Path.GetFullPath(source)];
        if (above.Contains(full))
        {
            Problem(source, RecipeKeys.BaseKey, $"must not lead back to the recipe itself, got {RecipeKey.Show(name)}.");
            return;
        }

        if (!File.Exists(path))
        {
            Problem(source, RecipeKeys.BaseKey, $"must be a recipe, there is no {path}.");
            return;
        }

        var parser = new RecipeParser(path);
        parser.Collect(ReadText(path), above);
        _problems.AddRange(parser._problems);
        _broken.UnionWith(parser._broken);
        foreach (var (key, given) in parser._given)
        {
            if (key != "name" && !(hasPreset && (key is RecipeKeys.PresetKey or RecipeKeys.ArchitectureKey || key.StartsWith("model.", StringComparison.Ordinal))))
                _given[key] = given;
        }
    }

    private void CollectSection(string section, JsonElement json)
    {
        var seen = new HashSet<string>();
        foreach (var property in json.EnumerateObject())
        {
            string path = section.Length == 0 ? property.Name : $"{section}.{property.Name}";
            if (!seen.Add(property.Name))
                Problem(source, path, "is given twice.");
            else if (section.Length == 0 && RecipeKeys.Sections.Skip(1).Contains(property.Name))
                CollectObject(path, property.Value);
            else if (path is RecipeKeys.BaseKey or RecipeKeys.SchemaKey)
                continue;
            else if (IsKey(path))
                _given[path] = new Given(source, property.Value);
            else
                Problem(source, path, NotAKey(section, property.Name));
        }
    }

    private void CollectObject(string section, JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Object)
            CollectSection(section, json);
        else
            Problem(source, section, $"must be an object with the keys {string.Join(", ", RecipeKeys.NamesIn(section))}, got {RecipeKey.Show(json)}.");
    }

    private void Set(string setting)
    {
        int equals = setting.IndexOf('=', StringComparison.Ordinal);
        if (equals < 1)
        {
            _problems.Add($"{CommandLine}: must be key=value, for example training.max_updates=1000, got {setting}.");
            return;
        }

        string path = setting[..equals].Trim(), text = setting[(equals + 1)..].Trim();
        if (!IsKey(path))
        {
            int dot = path.IndexOf('.', StringComparison.Ordinal);
            string section = dot < 0 ? "" : path[..dot];
            bool known = RecipeKeys.Sections.Contains(section);
            string? nearest = known ? null : NearestName.Of(path, RecipeKeys.All.Select(k => k.Path));
            string what = RecipeKeys.Sections.Contains(path) ? $"is a section; its keys are {string.Join(", ", RecipeKeys.NamesIn(path).Select(n => $"{path}.{n}"))}."
                : nearest is not null ? $"is not a key; did you mean {nearest}?" : NotAKey(known ? section : "", known ? path[(dot + 1)..] : path);
            Problem(CommandLine, path, what);
            return;
        }

        if (IsSet(path))
        {
            Problem(CommandLine, path, "must be given once, by --set or by an option of its own.");
            return;
        }

        string json = Array.Find(RecipeKeys.All, k => k.Path == path)?.FromCommandLine(text) ?? RecipeTypes.Quote(text);
        _given[path] = new Given(CommandLine, JsonDocument.Parse(json).RootElement);
    }

    private Recipe Preset(Recipe recipe)
    {
        if (!_given.TryGetValue(RecipeKeys.PresetKey, out var given))
            return recipe;
        string? name = given.Value.ValueKind == JsonValueKind.String ? given.Value.GetString() : null;
        if (name is not null && RecipePresets.All.TryGetValue(name, out var model))
            return recipe with { Model = model };
        string choices = string.Join(", ", RecipePresets.All.Keys);
        string hint = name is not null && NearestName.Of(name, RecipePresets.All.Keys) is { } nearest ? $"; did you mean {nearest}?" : ".";
        Problem(given.Source, RecipeKeys.PresetKey, $"must be one of {choices}, got {RecipeKey.Show(given.Value)}{hint}");
        return recipe;
    }

    private Recipe Read(Recipe recipe, RecipeKey key, Given given)
    {
        if (key.Read(recipe, given.Value) is { } read)
            return read;
        Problem(given.Source, key.Path, $"must be {key.Description}, got {RecipeKey.Show(given.Value)}.");
        return recipe;
    }

    /// <summary>The text of a recipe.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is not UTF-8.</exception>
    public static string ReadText(string path)
    {
        if (!File.Exists(path))
            throw TextFile.NotThere(path);
        byte[] bytes = File.ReadAllBytes(path);
        return Utf8.IsValid(bytes) ? new UTF8Encoding(false).GetString(bytes).TrimStart('\ufeff') : throw new InvalidDataException($"{path}: is not valid UTF-8.");
    }

    // What single values cannot show. A rule about a key that is already wrong in itself is not tested: its answer would mislead. So would one about what a base that is not there may give.
    private void CheckTogether(Recipe recipe)
    {
        var (model, data, training) = (RecipeTaskRules.Resolved(recipe).Model, recipe.Data, recipe.Training);
        int source = model.IsLanguageModel ? 0 : data.VocabularySize;
        if (recipe.Name is "" or "." or ".." || recipe.Name.AsSpan().ContainsAny(Path.GetInvalidFileNameChars()))
            Rule(["name"], $"name must be usable as a folder's name, got \"{recipe.Name}\".");
        if (!_given.ContainsKey(RecipeKeys.ArchitectureKey) && !_given.ContainsKey(RecipeKeys.PresetKey))
            Rule([RecipeKeys.ArchitectureKey], $"architecture must be given: {ModelKeys.All[0].Description}; or preset, which names one.");
        bool lacksEncoder = recipe.Task == RecipeTask.Translation && model.IsLanguageModel;
        // What a model of the architecture must have is not known where the architecture is not.
        bool isModelKnown = !lacksEncoder && !_broken.Contains(RecipeKeys.ArchitectureKey) && !_broken.Contains(RecipeKeys.PresetKey);
        foreach (string problem in !isModelKnown ? [] : (model with { SourceVocabulary = source, TargetVocabulary = data.VocabularySize }).Validate())
            Rule([.. RecipeKeys.NamesIn("model").Where(problem.Contains).Select(n => $"model.{n}")], $"model.{problem}");
        foreach (var (key, path, layers) in new[] { ("encoder_path", model.EncoderPath, model.EncoderLayers), ("decoder_path", model.DecoderPath, model.DecoderLayers) })
        {
            if (path.Count > 0 && Enumerable.Range(1, layers).FirstOrDefault(l => !path.Contains(l)) is > 0 and var unused)
                Rule([$"model.{key}"], $"model.{key} must name each layer, or it would never learn: {unused} is not in [{string.Join(", ", path)}].");
        }

        foreach (var (keys, problem) in RecipeTaskRules.Broken(recipe, _given.ContainsKey))
            Rule(keys, problem);
        if (data.Tokenizer != TokenizerKind.SubwordNmt && !RecipeKeys.IsDefault(recipe, "data.merges"))
            Rule(["data.merges", "data.tokenizer"], $"data.merges needs data.tokenizer subword_nmt, got {data.Merges} and {RecipeKeys.Show(recipe, "data.tokenizer")}.");
        if (data.Tokenizer == TokenizerKind.SentencePiece != data.SentencePieceModel.Length > 0)
            Rule(["data.sentencepiece_model", "data.tokenizer"], data.SentencePieceModel.Length > 0 ? $"data.sentencepiece_model needs data.tokenizer sentencepiece, got {RecipeKeys.Show(recipe, "data.tokenizer")}." : "data.sentencepiece_model must be given with data.tokenizer sentencepiece.");
        if (model.ShareEmbeddings == EmbeddingSharing.All && !data.Joint)
            Rule(["model.share_embeddings", "data.joint"], "model.share_embeddings all needs data.joint true, got false.");
        if (training.BatchTokens is { } tokens && data.MaxLength >= tokens && (recipe.Task == RecipeTask.Translation || data.SampleBreakMode == SampleBreak.Eos))
            Rule(["data.max_length", "training.batch_tokens"], $"training.batch_tokens must exceed data.max_length, so that a batch holds the longest sentence and its end, got {tokens} and {data.MaxLength}.");
        if (data.MaxLength >= model.MostPositions)
            Rule(["data.max_length", "model.max_positions"], $"data.max_length must be below model.max_positions, as the end of a sentence takes one too, got {data.MaxLength} and {model.MaxPositions}.");
        foreach (var (keys, problem) in RecipeTrainingRules.Broken(recipe))
            Rule(keys, problem);
    }

    private void Rule(string[] keys, string problem)
    {
        bool lacksBase = _broken.Contains(RecipeKeys.BaseKey);
        if (!keys.Any(k => _broken.Contains(k) || (lacksBase && !_given.ContainsKey(k))))
            _problems.Add($"{source}{(Array.Exists(keys, IsSet) || (keys.Any(k => k.StartsWith("model.", StringComparison.Ordinal)) && (IsSet(RecipeKeys.ArchitectureKey) || IsSet(RecipeKeys.PresetKey))) ? $" with {CommandLine}" : "")}: {problem}");
    }

    private bool IsSet(string path) => _given.TryGetValue(path, out var given) && given.Source == CommandLine;

    private void Problem(string origin, string path, string what)
    {
        _broken.Add(path);
        _problems.Add($"{origin}: {path} {what}");
    }

    private static bool IsKey(string path) => path == RecipeKeys.PresetKey || Array.Exists(RecipeKeys.All, k => k.Path == path);

    private static string NotAKey(string section, string name)
    {
        var names = RecipeKeys.NamesIn(section).ToArray();
        // The right name in the wrong place comes before a similar one in the right place.
        string? nearest = Array.Find(RecipeKeys.All, k => k.Name == name)?.Path ?? NearestName.Of(name, names) ?? NearestPath(name);
        return nearest is not null ? $"is not a key; did you mean {nearest}?" : $"is not a key; {(section.Length == 0 ? "the keys" : $"the keys of {section}")} are {string.Join(", ", names)}.";
    }

    private static string? NearestPath(string name)
        => NearestName.Of(name, RecipeKeys.All.Select(k => k.Name)) is { } near ? Array.Find(RecipeKeys.All, k => k.Name == near)!.Path : null;

    private sealed record Given(string Source, JsonElement Value);
}
