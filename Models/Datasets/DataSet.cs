namespace CudaSeq.Models;

/// <summary>How a file is packed at its address.</summary>
public enum DataPacking
{
    /// <summary>As it is.</summary>
    None,

    /// <summary>Compressed with gzip.</summary>
    Gzip,

    /// <summary>A tar archive compressed with gzip, of which the files' <see cref="DataFile.Parts"/> are taken.</summary>
    TarGzip,

    /// <summary>As it is, and each file is the <see cref="DataFile.Bytes"/> bytes of it from <see cref="DataFile.Start"/> on.</summary>
    Runs,
}

/// <summary>Where bytes can be had.</summary>
/// <param name="Url">An address that means the same bytes forever: that of a file, or of all files, at a commit.</param>
/// <param name="Packing">How they are packed there.</param>
/// <param name="Bytes">How many bytes the server sends; null where that is not known, as of archives that a server makes when they are asked for.</param>
public sealed record DataSource(string Url, DataPacking Packing = DataPacking.None, long? Bytes = null)
{
    /// <summary>The most bytes that are taken from a server: <see cref="Bytes"/>, or 256 MiB where that is not known.</summary>
    public long MostBytes => Bytes ?? 256L << 20;

    /// <summary>The last part of the address.</summary>
    public string FileName => Url[(Url.LastIndexOf('/') + 1)..];
}

/// <summary>Which files of an archive make one file: those of a folder, whose names end alike, put one after the other in the order of their names' bytes.</summary>
/// <param name="Folder">The folder, as <c>data/train/</c>, below the archive's one folder at the top.</param>
/// <param name="Suffix">How the names end.</param>
public sealed record ArchiveParts(string Folder, string Suffix);

/// <summary>One file of a data set, as it lies on the disk.</summary>
/// <param name="Path">Its place below the folder of data sets, with slashes: <c>multi30k/train.en</c>.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Checksum">SHA-256 of its bytes as 64 hexadecimal digits, or the 40 digits of its git blob, which is SHA-1 of <c>blob</c>, a blank, its size, NUL and its bytes.</param>
/// <param name="Source">Where it comes from; several files may come from one archive.</param>
/// <param name="Parts">What of an archive; null for others.</param>
/// <param name="Start">Where it begins in what is cut into <see cref="DataPacking.Runs"/>; 0 for others.</param>
public sealed record DataFile(string Path, long Bytes, string Checksum, DataSource Source, ArchiveParts? Parts = null, long Start = 0);

/// <summary>What of a downloaded file is made a text.</summary>
public enum TextPart
{
    /// <summary>Some of its lines, as they are.</summary>
    Lines,

    /// <summary>Of lines of JSON, all texts of a property, one after the other with a blank between them.</summary>
    Joined,

    /// <summary>Of lines of JSON, each text of a property in a file of its own, whose number from 0 follows <see cref="MadeText.Path"/>: as many files as the line with the most texts has, and empty lines where there are fewer.</summary>
    Numbered,
}

/// <summary>
/// A text that recipes and scores can read, one sample a line, made of a downloaded file. It has no checksum: that of the download is its own. In texts of JSON any run of white space, line
/// ends included, becomes one blank, and what is white space alone is left out.
/// </summary>
/// <param name="Path">Its place below the folder of data sets, with slashes.</param>
/// <param name="From">That of the downloaded file.</param>
/// <param name="Part">What of it.</param>
/// <param name="Property">The property of each line of JSON, a text or an array of texts; empty for <see cref="TextPart.Lines"/>.</param>
/// <param name="Start">The first line that is taken, from 0.</param>
/// <param name="Count">How many lines are taken; null for all that follow.</param>
public sealed record MadeText(string Path, string From, TextPart Part, string Property = "", int Start = 0, int? Count = null)
{
    /// <summary>The place of the text, of numbered ones the first, of which there is one always.</summary>
    public string First => Part == TextPart.Numbered ? Path + "0" : Path;
}

/// <summary>A published data set: what it is, what may be done with it, and its files.</summary>
/// <param name="Name">What it is asked for by, which is also its folder.</param>
/// <param name="What">What it holds, in a line.</param>
/// <param name="Licence">What its publisher allows, in a line.</param>
/// <param name="Page">Where it is published.</param>
/// <param name="Files">Its files.</param>
public sealed record DataSet(string Name, string What, string Licence, string Page, IReadOnlyList<DataFile> Files)
{
    /// <summary>The texts that are made of its files once they are there.</summary>
    public IReadOnlyList<MadeText> Made { get; init; } = [];

    /// <summary>The size of its files; texts that are made of them do not count.</summary>
    public long Bytes => Files.Sum(f => f.Bytes);

    /// <summary>How much of it lies in a folder of data sets, by the files' sizes: what they hold is not read. It is whole when the texts made of it are there too.</summary>
    /// <param name="folder">The folder of data sets.</param>
    public DataSetState StateIn(string folder)
    {
        int there = Files.Count(f => new FileInfo(System.IO.Path.Combine(folder, f.Path)) is { Exists: true } file && file.Length == f.Bytes);
        bool made = Made.All(m => File.Exists(System.IO.Path.Combine(folder, m.First)));
        return there == Files.Count && made ? DataSetState.Whole : there > 0 ? DataSetState.Part : DataSetState.None;
    }
}

/// <summary>How much of a data set is there.</summary>
public enum DataSetState
{
    /// <summary>No file.</summary>
    None,

    /// <summary>Some files.</summary>
    Part,

    /// <summary>All files.</summary>
    Whole,
}
