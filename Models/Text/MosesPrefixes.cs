namespace CudaSeq.Models;

/// <summary>
/// Words whose full stop <see cref="MosesTokenizer"/> leaves where it is, though a capital letter follows: abbreviations, initials and, in German, ordinal numbers.
/// </summary>
/// <remarks>
/// <para>The lists here are the project's own, written down from general knowledge of the languages; none is taken from Moses, whose lists are longer. Where a text must
/// be tokenised as Moses does with abbreviations that are rare, its file, or one's own, can be read with <see cref="Load"/>.</para>
/// <para>Abbreviations with a full stop inside (U.S., z.B.) need no list: the tokeniser leaves those alone by itself.</para>
/// </remarks>
public sealed class MosesPrefixes
{
    private const string NumericOnly = "#NUMERIC_ONLY#";
    private const string CapitalLetters = "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z";
    private const string Months = "Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec";

    // Titles stay as they are when people are written about in another language.
    private const string EnglishTitles =
        "Mr Mrs Ms Messrs Dr Drs Prof St Rev Hon Sr Jr Mt Esq Gov Sen Sens Rep Reps Pres Supt Insp Asst Atty Gen Maj Capt Cmdr Comdr Col Lt Sgt Cpl " +
        "Pvt Pfc Adm Brig Ens Fr Msgr Bros";

    private static readonly string[] English =
    [
        CapitalLetters, EnglishTitles, Months, "Mme Mlle MM vs v cf approx Ave Blvd Rd Dept Fig Figs Eq Vol Ed Eds",
    ];

    private static readonly string[] German =
    [
        CapitalLetters, "a b c d e f g h i j k l m n o p q r s t u v w x y z \u00E4 \u00F6 \u00FC \u00C4 \u00D6 \u00DC", EnglishTitles,
        "Hr Hrn Fr Frl Dipl Ing Mag Univ Doz Priv.-Doz hl Std Min Sek Abs Abt Abb Anm Art Aufl Bd Bde Bsp Fa Forts Geb geb gest gegr gez ggf Hbf",
        "Hrsg hrsg Inh Jh Jhd Jhdt Kap Kfm",
        "Lit Mio Mrd Tsd Nr Nrn Pfd Pkt Reg.-Bez Str Tab Tel Verf Verl Vgl Vol Ztr Zi abgek abs allg amtl anschl bes betr bez bspw bzgl bzw ca chem",
        "dergl desgl dgl dt ebd ehem eigtl einschl",
        "engl entspr etc ev evtl exkl frz ggfs inkl insb insbes jew jur kath lat lfd lt m\u00E4nnl med meist mind m\u00F6gl n\u00E4ml \u00F6stl",
        "\u00F6sterr phil pol resp rd s\u00E4chs sen s\u00FCdl s o sog stellv teilw tgl",
        "u ung urspr usf usw verh vgl vorm w weibl westl n\u00F6rdl wiss z zit zool zw zzgl Co",
        "I II III IV V VI VII VIII IX X XI XII XIII XIV XV XVI XVII XVIII XIX XX", Numbers(99),
    ];

    private static readonly string[] French =
    [
        CapitalLetters,
        "M MM Mme Mmes Mlle Mlles Mgr Me Dr Dre Prof St Ste Sts Stes Cie \u00C9d \u00E9d \u00E9dit ex cf env ap av apr Art art all apr bd boul ch",
        "chap coll conf dir div dom \u00E9tym \u00E9v fasc fig hab hist ill",
        "imp inf janv f\u00E9vr avr juil sept oct nov d\u00E9c ms mss num p pp para p.ex quelq r\u00E9f sc suiv sup suppl t\u00E9l trad vol vols vs",
    ];

    private static readonly string[] Spanish =
    [
        CapitalLetters,
        "Sr Sra Sres Sras Srta Srtas Dr Dra Dres Prof Profa Prof\u00AA D Da Do\u00F1a Lic Ing Arq Ab Abg Exc Excmo Excma Ilmo Ilma Fr Hno Hna Mons",
        "Rvdo Rvda Gral Cnel Cap Tte Sto Sta Ud Uds Vd Vds",
        "Av Avda apdo Art art c\u00EDa C\u00EDa Cap cap cf etc ej fig Fig f\u00EDg ib \u00EDd m\u00E1x m\u00EDn n\u00FAm N\u00FAm Bco p\u00E1g",
        "P\u00E1g p\u00E1gs pp p pl Pl ref tel Tel tfno vol Vol vs",
    ];

    private static readonly string[] Italian =
    [
        CapitalLetters,
        "Sig Sigg Sig.ra Dott Dr Dott.ssa Prof Profs Avv Arch Ing Geom Rag Cav Comm On Onn Mons Gen Col Cap Magg Ten Mar Serg Amm Min Sen Dir Pres",
        "S.ta Spett Gent Egr Ill",
        "art artt cap capp cfr ca ecc es fig figg ibid id lett num pag pagg par p pp sec seg segg sez tab tel trad vol voll vs Vs V.le Mr Mrs Ms St",
    ];

    private static readonly string[] Czech =
    [
        CapitalLetters,
        "\u010C \u0158 \u0160 \u017D Bc Bca Ing Mgr Mga MUDr MVDr JUDr PhDr RNDr ThDr PaedDr PharmDr Dr Doc doc Prof prof as asist CSc DrSc p",
        "pan\u00ED sl sv Sv plk gen pplk mjr kpt por ppor rtm",
        "apod atd atp cca \u010D \u010D\u00E1s \u010Dl \u010Dp d\u011Bl \u00FAst fol hl hod is\u0161 j kol kap km\u00EDn kupd ks lat mil mj",
        "m\u011Bs min mld n nap\u0159 n\u00E1m nar nast obr odd odst okr op ost pol popt p\u0159 p\u0159\u00EDp p\u0159ibl r \u0159 roz\u0161 rozd",
        "s samost sek soudr st str stol sz \u0161 t tab tel t\u0159 tis tj tk tlf tzn tzv ul v vs vyd vyp v\u00FDs vz z z\u00E1p zn zejm zkr zvl",
    ];

    private readonly HashSet<string> _always;
    private readonly HashSet<string> _beforeNumbers;

    private MosesPrefixes(IEnumerable<string> always, IEnumerable<string> beforeNumbers)
    {
        _always = new HashSet<string>(always, StringComparer.Ordinal);
        _beforeNumbers = new HashSet<string>(beforeNumbers, StringComparer.Ordinal);
    }

    /// <summary>The languages that there is a list for.</summary>
    public static IReadOnlyList<string> Languages => ["cs", "de", "en", "es", "fr", "it"];

    /// <summary>The list for a language; null where there is none.</summary>
    /// <param name="language">Its code, for example en.</param>
    public static MosesPrefixes? Of(string language) => language switch
    {
        "cs" => Own(Czech),
        "de" => Own(German),
        "en" => Own(English, "No Nos Nr Art pp p"),
        "es" => Own(Spanish, "No Nos N\u00BA"),
        "fr" => Own(French, "No no N n"),
        "it" => Own(Italian, "No n nn"),
        _ => null,
    };

    /// <summary>
    /// Reads a list as Moses's files <c>nonbreaking_prefix.xx</c> have it: one word a line without its full stop; a line that begins with # is a comment; a word with
    /// <c>#NUMERIC_ONLY#</c> behind it keeps its full stop before a number only.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is not UTF-8, or holds no word.</exception>
    public static MosesPrefixes Load(string path)
    {
        var lines = TextFile.ReadLines(path).Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#').ToLookup(l => l.EndsWith(NumericOnly, StringComparison.Ordinal));
        var beforeNumbers = lines[true].Select(l => l[..^NumericOnly.Length].TrimEnd()).Where(l => l.Length > 0);
        var result = new MosesPrefixes(lines[false], beforeNumbers);
        return result._always.Count + result._beforeNumbers.Count > 0 ? result : throw new InvalidDataException($"{path}: must hold at least one word a line, got none.");
    }

    /// <summary>Whether a word keeps its full stop whatever follows.</summary>
    internal bool Keeps(string word) => _always.Contains(word);

    /// <summary>Whether a word keeps its full stop before a number.</summary>
    internal bool KeepsBeforeNumber(string word) => _beforeNumbers.Contains(word);

    /// <summary>Refuses what is no code of a language.</summary>
    internal static string CheckLanguage(string who, string language)
        => language.Length is 2 or 3 && language.All(char.IsAsciiLetterLower)
            ? language
            : throw new ArgumentException($"{who}: the language must be a code of two or three small letters such as en, got '{language}'.");

    private static MosesPrefixes Own(IEnumerable<string> always, string beforeNumbers = "") => new(always.SelectMany(Words), Words(beforeNumbers));

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static string Numbers(int last) => string.Join(' ', Enumerable.Range(1, last));
}
