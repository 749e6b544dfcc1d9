using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>
/// Two files of PyTorch itself (1.13 with Python 3.11), in base64: torch.save of a namespace, a tensor w of [2, 3], its transpose, which shares its storage, and a half tensor h; once in
/// the zip format, once with <c>_use_new_zipfile_serialization=False</c>.
/// </summary>
public sealed class GenuineTorchTests : IDisposable
{
    private const string Archive =
        """
        UEsDBAAACAgAAAAAAAAAAAAAAAAAAAAAAAAQABIAYXJjaGl2ZS9kYXRhLnBrbEZCDgBaWlpaWlpaWlpaWlpaWoACfXEAKFgEAAAAYXJnc3EBY2FyZ3BhcnNlCk5hbWVzcGFjZQpxAimBcQN9cQQoWAQAAABhcmNo
        cQVYCwAAAHRyYW5zZm9ybWVycQZYDgAAAGVuY29kZXJfbGF5ZXJzcQdLBlgCAAAAbHJxCF1xCUc/QGJN0vGp/GF1YlgFAAAAbW9kZWxxCmNjb2xsZWN0aW9ucwpPcmRlcmVkRGljdApxCylScQwoWAEAAAB3cQ1j
        dG9yY2guX3V0aWxzCl9yZWJ1aWxkX3RlbnNvcl92MgpxDigoWAcAAABzdG9yYWdlcQ9jdG9yY2gKRmxvYXRTdG9yYWdlCnEQWAEAAAAwcRFYAwAAAGNwdXESSwZ0cRNRSwBLAksDhnEUSwNLAYZxFYloCylScRZ0
        cRdScRhYAQAAAHRxGWgOKChoD2gQaBFoEksGdHEaUUsASwNLAoZxG0sBSwOGcRyJaAspUnEddHEeUnEfWAEAAABocSBoDigoaA9jdG9yY2gKSGFsZlN0b3JhZ2UKcSFYAQAAADFxImgSSwJ0cSNRSwBLAoVxJEsB
        hXEliWgLKVJxJnRxJ1JxKHV1LlBLBwheup1MswEAALMBAABQSwMEAAAICAAAAAAAAAAAAAAAAAAAAAAAAA4AEQBhcmNoaXZlL2RhdGEvMEZCDQBaWlpaWlpaWlpaWlpaAACAPwAAAEAAAEBAAACAQAAAoEAAANDA
        UEsHCFV0Q74YAAAAGAAAAFBLAwQAAAgIAAAAAAAAAAAAAAAAAAAAAAAADgAsAGFyY2hpdmUvZGF0YS8xRkIoAFpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWloAOADAUEsHCISpWJAEAAAA
        BAAAAFBLAwQAAAgIAAAAAAAAAAAAAAAAAAAAAAAADwA/AGFyY2hpdmUvdmVyc2lvbkZCOwBaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWjMKUEsHCNGe
        Z1UCAAAAAgAAAFBLAQIAAAAACAgAAAAAAABeup1MswEAALMBAAAQAAAAAAAAAAAAAAAAAAAAAABhcmNoaXZlL2RhdGEucGtsUEsBAgAAAAAICAAAAAAAAFV0Q74YAAAAGAAAAA4AAAAAAAAAAAAAAAAAAwIAAGFy
        Y2hpdmUvZGF0YS8wUEsBAgAAAAAICAAAAAAAAISpWJAEAAAABAAAAA4AAAAAAAAAAAAAAAAAaAIAAGFyY2hpdmUvZGF0YS8xUEsBAgAAAAAICAAAAAAAANGeZ1UCAAAAAgAAAA8AAAAAAAAAAAAAAAAA1AIAAGFy
        Y2hpdmUvdmVyc2lvblBLBgYsAAAAAAAAAB4DLQAAAAAAAAAAAAQAAAAAAAAABAAAAAAAAADzAAAAAAAAAFIDAAAAAAAAUEsGBwAAAABFBAAAAAAAAAEAAABQSwUGAAAAAAQABADzAAAAUgMAAAAA
        """;

    private const string Stream =
        """
        gAKKCmz8nEb5IGqoUBkugAJN6QMugAJ9cQAoWBAAAABwcm90b2NvbF92ZXJzaW9ucQFN6QNYDQAAAGxpdHRsZV9lbmRpYW5xAohYCgAAAHR5cGVfc2l6ZXNxA31xBChYBQAAAHNob3J0cQVLAlgDAAAAaW50cQZL
        BFgEAAAAbG9uZ3EHSwR1dS6AAn1xAChYBAAAAGFyZ3NxAWNhcmdwYXJzZQpOYW1lc3BhY2UKcQIpgXEDfXEEKFgEAAAAYXJjaHEFWAsAAAB0cmFuc2Zvcm1lcnEGWA4AAABlbmNvZGVyX2xheWVyc3EHSwZYAgAA
        AGxycQhdcQlHP0BiTdLxqfxhdWJYBQAAAG1vZGVscQpjY29sbGVjdGlvbnMKT3JkZXJlZERpY3QKcQspUnEMKFgBAAAAd3ENY3RvcmNoLl91dGlscwpfcmVidWlsZF90ZW5zb3JfdjIKcQ4oKFgHAAAAc3RvcmFn
        ZXEPY3RvcmNoCkZsb2F0U3RvcmFnZQpxEFgJAAAAMTM4ODM0ODQ4cRFYAwAAAGNwdXESSwZOdHETUUsASwJLA4ZxFEsDSwGGcRWJaAspUnEWdHEXUnEYWAEAAAB0cRloDigoaA9oEFgJAAAAMTM4ODM0ODQ4cRpo
        EksGTnRxG1FLAEsDSwKGcRxLAUsDhnEdiWgLKVJxHnRxH1JxIFgBAAAAaHEhaA4oKGgPY3RvcmNoCkhhbGZTdG9yYWdlCnEiWAkAAAAxMDA5NzI4MDBxI2gSSwJOdHEkUUsASwKFcSVLAYVxJoloCylScSd0cShS
        cSl1dS6AAl1xAChYCQAAADEwMDk3MjgwMHEBWAkAAAAxMzg4MzQ4NDhxAmUuAgAAAAAAAAAAOADABgAAAAAAAAAAAIA/AAAAQAAAQEAAAIBAAACgQAAA0MA=
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AreRead(bool archive)
    {
        using var checkpoint = TorchCheckpoint.Open(_folder.File("model.pt", Convert.FromBase64String(archive ? Archive : Stream)));
        var root = Assert.IsType<PickleDictionary>(checkpoint.Root).Texts;
        var args = Assert.IsType<PickleRecord>(root["args"]).Attributes;
        Assert.Equal("transformer", args["arch"]);
        Assert.Equal(6L, args["encoder_layers"]);
        Assert.Equal(0.0005, Assert.Single(Assert.IsType<List<object?>>(args["lr"])));
        var model = Assert.IsType<PickleDictionary>(root["model"]).Texts;
        Assert.Equal(["w", "t", "h"], model.Keys);
        Assert.Equal([1, 2, 3, 4, 5, -6.5f], Read("w", 2, 3));
        Assert.Equal([1, 4, 2, 5, 3, -6.5f], Read("t", 3, 2));
        Assert.Equal([0.5f, -2], Read("h", 2));

        float[] Read(string name, params int[] sizes)
        {
            var tensor = Assert.IsType<TorchTensor>(model[name]);
            Assert.Equal(sizes, checkpoint.ShapeOf(name, tensor));
            return checkpoint.Read(name, tensor);
        }
    }

    // No bit of the archive but those of names that nothing asks for, dates and the like may change a number unnoticed.
    [Fact]
    public void NoBitOfAnArchiveChangesANumberUnnoticed()
    {
        byte[] whole = Convert.FromBase64String(Archive);
        int refused = 0;
        for (int bit = 0; bit < 8 * whole.Length; bit++)
        {
            byte[] other = [.. whole];
            other[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                using var checkpoint = TorchCheckpoint.Open(_folder.File("model.pt", other));
                var model = Assert.IsType<PickleDictionary>(Assert.IsType<PickleDictionary>(checkpoint.Root).Texts["model"]).Texts;
                Assert.Equal([1, 4, 2, 5, 3, -6.5f], checkpoint.Read("t", Assert.IsType<TorchTensor>(model["t"])));
                Assert.Equal([0.5f, -2], checkpoint.Read("h", Assert.IsType<TorchTensor>(model["h"])));
            }
            catch (InvalidDataException e)
            {
                Assert.DoesNotContain('\n', e.Message);
                refused++;
            }
        }

        Assert.InRange(refused, 4 * whole.Length, 8 * whole.Length);
    }
}
