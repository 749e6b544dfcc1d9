using System.CommandLine;
using System.Globalization;
using System.Net.Http.Headers;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq data get</c>: downloads data sets.</summary>
internal sealed class DataGetVerb : Verb
{
    private readonly Argument<string[]> _names = new("NAME...") { Description = "Data sets; cudaseq data list shows their names.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string> _folder = Text("--folder", "DIR", "The folder of data sets, to whose sub-folders they go (default: CUDASEQ_DATA, else data).");
    private readonly Option<string> _mirror = Text("--mirror", "URL", "Take files from URL/HOST/PATH instead of https://HOST/PATH; checksums hold as ever.");

    public DataGetVerb()
        : base("get", "Download public data sets.", "data")
    {
        Add(_names);
        foreach (var option in (Option[])[_folder, _mirror])
            Add(option);
    }

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq data get multi30k", "To the folder CUDASEQ_DATA, or to data where that is not set."),
        ("cudaseq data get wikitext-2 tinyshakespeare --folder /data", "Two sets, to another folder."),
    ];

    public override string Notes =>
        "Every file comes from a commit of a public repository and is checked against its checksum. Ctrl-C leaves what has arrived; the same command goes on from there. Files that are there and right are left alone, others of the same name are never written over.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        List<DataSet> sets = [.. arguments.GetRequiredValue(_names).Distinct().Select(Named)];
        string folder = DataVerb.Folder(arguments.GetValue(_folder), terminal);
        var options = new DownloadOptions { Mirror = Mirror(arguments.GetValue(_mirror)) };
        using var client = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("cudaseq", BuildInfo.Version));
        var download = new DataSetDownload(client, options);
        foreach (var set in sets)
        {
            foreach (string line in Help.Wrap($"{set.Name}: {set.What}", 80))
                terminal.Out.WriteLine(line);
            terminal.Out.WriteLine($"licence: {set.Licence}");
            terminal.Out.WriteLine($"from {set.Page}");
            terminal.Out.Flush();
            var display = new DownloadDisplay(terminal);
            int fetched;
            try
            {
                fetched = download.GetAsync(set, folder, display, cancellation).GetAwaiter().GetResult();
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                display.Finish();
                terminal.Error.WriteLine("cudaseq: interrupted; the same command goes on from here.");
                return CommandLine.Failure;
            }
            catch (HttpRequestException e)
            {
                throw Explained(e);
            }
            finally
            {
                display.Finish();
            }

            string files = string.Create(CultureInfo.InvariantCulture, $"{set.Files.Count} {(set.Files.Count == 1 ? "file" : "files")}");
            string what = fetched == 0 ? "there already and right" : fetched == set.Files.Count ? "downloaded" : string.Create(CultureInfo.InvariantCulture, $"right, {fetched} of them downloaded");
            terminal.Out.WriteLine($"{files} {what}, in {Path.Combine(folder, set.Name)}");
        }

        DataVerb.WriteWhere(folder, terminal);
        return CommandLine.Success;
    }

    /// <summary>What may help where no server is reached at all; any other failure as it is.</summary>
    internal static HttpRequestException Explained(HttpRequestException e)
        => e.HttpRequestError is HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.ProxyTunnelError
            ? new(e.HttpRequestError, $"{e.Message} Behind a proxy set HTTPS_PROXY; --mirror URL takes the files from elsewhere.", e)
            : e;

    private static DataSet Named(string name)
    {
        try
        {
            return DataSets.Named(name);
        }
        catch (ArgumentException e)
        {
            throw new UsageException(e.Message);
        }
    }

    private static Uri? Mirror(string? given)
        => given is null ? null
        : Uri.TryCreate(given, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" ? url
        : throw new UsageException($"--mirror must be an address that begins with http:// or https://, got {given}.");
}
