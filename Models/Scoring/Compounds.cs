using System.Text;

namespace CudaSeq.Models;

/// <summary>Words split at hyphens, as English-German papers have done before BLEU since Vaswani et al. 2017.</summary>
internal static class Compounds
{
    private const string Mark = " ##AT##-##AT## ";

    /// <summary>
    /// What Perl's <c>s{(\S)-(\S)}{$1 ##AT##-##AT## $2}g</c> of tensor2tensor's get_ende_bleu.sh makes of a line. Matches do not overlap, so that of <c>a-b-c</c> the second hyphen stays. That program reads bytes and not
    /// characters: of a character beyond ASCII a match takes one byte, and the hyphen behind it is found with another.
    /// </summary>
    public static string Split(string line)
    {
        var split = new StringBuilder(line.Length);
        for (int i = 0; i < line.Length;)
        {
            split.Append(line[i]);
            if (i + 2 >= line.Length || line[i + 1] != '-' || IsBlank(line[i]) || IsBlank(line[i + 2]))
            {
                i++;
                continue;
            }

            split.Append(Mark);
            i += 2;
            if (char.IsAscii(line[i]))
                split.Append(line[i++]);
        }

        return split.ToString();
    }

    private static bool IsBlank(char c) => c is ' ' or (>= '\t' and <= '\r');
}
