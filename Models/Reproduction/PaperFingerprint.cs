using System.Security.Cryptography;
using System.Text;

namespace CudaSeq.Models;

/// <summary>
/// What a row's result depends on, in 16 hexadecimal digits: the keys of its recipe that are not the usual ones, how it is decoded or looked into, and the same of the rows that it needs. Names and
/// places of files do not count, so that a log means the same on another machine.
/// </summary>
internal static class PaperFingerprint
{
    private const int Digits = 16;

    // Names, and files that are written by other rows, whose own fingerprints count.
    private static readonly string[] Places = ["name", "data.folder", "training.initialize_from", "training.teacher"];

    /// <summary>Of a row with one seed.</summary>
    /// <param name="row">The row.</param>
    /// <param name="recipe">What it is trained by; null where nothing is trained.</param>
    /// <param name="needed">The fingerprint of each row that it needs.</param>
    public static string Of(PaperRow row, Recipe? recipe, Func<string, string> needed)
    {
        var text = new StringBuilder();
        if (recipe is not null)
        {
            var usual = new Recipe();
            foreach (var key in RecipeKeys.All.Where(k => !Places.Contains(k.Path) && (row.Distilled is null || k.Path != "data.train")))
            {
                if (key.Show(recipe) is var value && value != key.Show(usual))
                    text.Append(key.Path).Append('=').Append(value).Append('\n');
            }
        }

        text.AppendJoin('\n', row.Decode.Concat(row.Analyze)).Append('\n');
        foreach (var (what, name) in new[] { ("from", row.From), ("teacher", row.Teacher), ("distilled", row.Distilled), ("of", row.Of) })
        {
            if (name is not null)
                text.Append(what).Append(' ').Append(needed(name)).Append('\n');
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..Digits];
    }
}
