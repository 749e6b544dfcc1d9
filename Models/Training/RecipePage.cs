using System.Globalization;
using System.Text;

namespace CudaSeq.Models;

/// <summary>The page about recipes, made from the table of keys: <c>docs/recipes.md</c>.</summary>
public static class RecipePage
{
    private const string Schedules =
        """
        ## Schedules of the learning rate

        With u updates made, w = `warmup_updates`, t = u - w, peak = `learning_rate`, low = `min_learning_rate`, d = `decay_updates`:

        | schedule | while u < w | from then on | source |
        |---|---|---|---|
        | `inverse_sqrt` | 1e-7 + (peak - 1e-7) u / w | peak sqrt(w / u) | Vaswani et al. 2017, section 5.3; fairseq |
        | `fixed` | peak (u + 1) / w | peak | fairseq |
        | `cosine` | 1e-7 + (peak - 1e-7) u / w | low + (peak - low) (1 + cos(pi t / d)) / 2 until t = d, then low | Loshchilov and Hutter 2017, section 3; fairseq |
        | `cosine` with `restarts` | the same | the same in periods: period i, from 0, lasts d `restart_growth`^i updates, and its rates are times `restart_shrink`^i | the same; fairseq's t-mult and lr-shrink |
        | `linear` | peak u / w | low + (peak - low) (1 - t / d) until t = d, then low | fairseq's polynomial_decay with power 1 |
        | `polynomial` | peak u / w | low + (peak - low) (1 - t / d)^`decay_power` until t = d, then low | fairseq's polynomial_decay, total-num-update = w + d |
        | `plateau` | peak u / w | times `plateau_factor`, but not below low, when more than `plateau_patience` validations in a row had no loss below best (1 - `plateau_threshold`); those of the warm-up do not count | PyTorch's ReduceLROnPlateau without cooldown and eps |
        | `plateau` with `plateau_anneals` | the same | the same until it is first reduced, then at every validation | Gehring et al. 2017, section 4.2 |
        | `step` | peak (u + 1) / w | peak until u = `step_first`, from there and again after every `step_every` updates times `step_factor`, but not below low | Sutskever et al. 2014, section 3.4; fairseq's fixed with force-anneal |

        ## Optimisers

        `adam`: the two forms of `adam_form` differ in where epsilon and the decay stand. `sgd`, as PyTorch's without dampening: g = gradient + `weight_decay` p,
        v = `momentum` v + g, and p = p - rate v, or p = p - rate (g + `momentum` v) with `nesterov`.
        `adadelta`, as PyTorch's: with the same g and r = `adadelta_rho`, a = r a + (1 - r) g^2, d = g sqrt(b + `adadelta_epsilon`) / sqrt(a + `adadelta_epsilon`), b = r b + (1 - r) d^2, and p = p - rate d. Its
        paper has no rate: that of RNNsearch (Bahdanau et al. 2015) is `fixed` at 1 without warm-up, with `clip_norm` 1.

        With `ema_decay` d the run also keeps a = d a + (1 - d) p after every update p, a = p at first. The average is validated and is what best.safetensors holds;
        last.safetensors holds both, to resume from, and the checkpoints of `keep_checkpoints` hold p.


        """;

    private const string LanguageModels =
        """
        ## Language models

        With `task` language_modeling the model is the decoder alone, without a source: `encoder_layers` and what else is said of an encoder are left out, a preset's are too,
        and `share_embeddings` decoder or all makes the token table the output's as well. The names of the parameters are those of fairseq's transformer_lm and lightconv_lm; pre-norm
        transformers have a norm after the last layer unless `decoder_final_norm` is off, pre-norm convolutional models have none. The presets `transformer_wikitext_103` and
        `dynamicconv_billion_word` are the models of Baevski and Auli 2019, but for the dropout of its softmax, and of Wu et al. 2019; their adaptive softmax wants as many words. `label_smoothing` is 0.1 where a recipe does not say otherwise; language models
        are usually trained with 0.

        The text is read line after line, and the end of every line, a blank one's too, is one token, `</s>`. So a word model's tokens are WikiText's, whose line ends are called `<eos>`; a
        character model's are the characters, the line feed among them, and its loss is in nats a character of the whole file. `<unk>` written in a text is the token for unknown words.

        Blocks are fairseq's: what a block's first token is predicted from is the token before it in the text. `cudaseq evaluate` reads text in the blocks and with the context of the run's
        recipe, `--context-window N` with another; `cudaseq generate` goes on with a text.


        """;

    private static readonly Dictionary<string, string> Headings = new()
    {
        [""] = "Top",
        ["model"] = "`model`",
        ["data"] = "`data`",
        ["training"] = "`training`",
        ["decoding"] = "`decoding`",
    };

    /// <summary>What <c>base</c> means.</summary>
    internal const string BaseExplanation = "Another recipe, by its path from this one: its keys hold where this one does not give them. A preset given here takes the place of all of its `model`.";

    /// <summary>What <c>preset</c> means.</summary>
    internal const string PresetExplanation = "A model of a paper; the keys of `model` change it.";

    /// <summary>The page as Markdown.</summary>
    public static string ToMarkdown()
    {
        var page = new StringBuilder();
        page.Append(
            """
            # Recipes

            <!-- Made from the table in Models/Training/RecipeKeys.cs; a test says how to renew it. -->

            A recipe is one experiment as a JSON file: `cudaseq train recipes/multi30k-dynamicconv.json`. Comments and trailing commas are allowed.
            Unknown keys and wrong values are refused, all at once, each in one line with the file, the key and the choices.
            `--set training.max_updates=1000` changes a key from the command line and is checked like the file; lists are written `--set model.encoder_kernel_widths=3,7,15`,
            and `--set training.patience=null` takes away what the file gives.

            `"$schema": "recipe.schema.json"` lets an editor complete keys and explain them ([recipe.schema.json](../recipes/recipe.schema.json)).
            `cudaseq recipe show recipes/multi30k-dynamicconv.json` prints a recipe as it is understood, with its base, its preset and every default.

            The run directory receives the recipe as it was understood, every key written out, as `recipe.json`.


            """.ReplaceLineEndings("\n"));
        var defaults = new Recipe();
        foreach (string section in RecipeKeys.Sections)
        {
            page.Append($"## {Headings[section]}\n\n| key | value | default | meaning |\n|---|---|---|---|\n");
            if (section.Length == 0)
            {
                page.Append($"| `{RecipeKeys.BaseKey}` | text | | {BaseExplanation} |\n");
                page.Append($"| `{RecipeKeys.PresetKey}` | a name from the list below | | {PresetExplanation} |\n");
            }


            foreach (var key in RecipeKeys.All.Where(k => k.Section == section))
                page.Append($"| `{key.Name}` | {key.Description} | {Default(key, defaults)} | {key.Explanation} |\n");
            page.Append('\n');
        }

        page.Append(LanguageModels.ReplaceLineEndings("\n"));
        page.Append(Schedules.ReplaceLineEndings("\n"));
        page.Append("## Presets\n\n| preset | model |\n|---|---|\n");
        foreach (var (name, model) in RecipePresets.All)
            page.Append($"| `{name}` | {Describe(model)} |\n");
        return page.ToString();
    }

    private static string Default(RecipeKey key, Recipe defaults)
    {
        string value = key.Show(defaults);
        return key.Path is "name" or RecipeKeys.ArchitectureKey || value is "null" or "\"\"" or "[]" ? "" : $"`{value.Trim('"')}`";
    }

    private static string Describe(ModelConfig model)
    {
        string text = model.IsLanguageModel
            ? $"language model, {model.DecoderLayers} layers, width {model.ModelWidth}"
            : $"{model.EncoderLayers} + {model.DecoderLayers} layers, width {model.ModelWidth}";
        if (model.EncoderWidth > 0)
            text += $", encoder {model.EncoderWidth}";
        if (model.EmbeddingWidth > 0)
            text += $", embeddings {model.EmbeddingWidth}";
        if (model.EncoderChannels.Count > 0)
            text += $", channels {string.Join(" ", model.EncoderChannels)} and {string.Join(" ", model.DecoderChannels)}";
        if (model.OutputWidth > 0)
            text += $", output {model.OutputWidth}";
        if (model.HasLayers)
            text += $", feed-forward {model.FeedForwardWidth}, {model.AttentionHeads} heads";
        if (model.StepSignal != StepSignal.None)
            text += $", applied {model.EncoderDepth} + {model.DecoderDepth} times with signals of the step";
        if (model.ExitClassifiers == ExitClassifierKind.Separate)
            text += ", a classifier for each exit of the decoder";
        if (model.EncoderKernelWidths.Count > 0)
            text += $", widths {string.Join(" ", model.EncoderKernelWidths)} and {string.Join(" ", model.DecoderKernelWidths)}";
        else if (model.DecoderKernelWidths.Count > 0)
            text += $", widths {string.Join(" ", model.DecoderKernelWidths)}";
        if (model.AdaptiveSoftmaxCutoffs.Count > 0)
            text += $", tied adaptive embeddings and softmax from {string.Join(" ", model.AdaptiveSoftmaxCutoffs)}";
        text += $"{(model.EncoderGlu || model.DecoderGlu ? ", gated" : "")}{(model.PreNorm ? ", norms before the sub-layers" : "")}{(model.DecoderFinalNorm ? "" : " and none behind the last")}, dropout {Probability(model.Dropout)}";
        foreach (var (of, probability) in new[]
        {
            ("attention", model.AttentionDropout), ("activations", model.ActivationDropout), ("convolutions' inputs", model.InputDropout), ("convolutions' weights", model.WeightDropout),
        })
        {
            if (probability > 0)
                text += $", of {of} {Probability(probability)}";
        }

        return text + model.ShareEmbeddings switch
        {
            EmbeddingSharing.All => ", one token table (needs `data.joint`)",
            EmbeddingSharing.Decoder => ", target and output share a table",
            _ => "",
        };

        static string Probability(float p) => p.ToString(CultureInfo.InvariantCulture);
    }
}
