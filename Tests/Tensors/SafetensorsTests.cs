using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class SafetensorsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cudaseq-safetensors-").FullName;

    private string FilePath => Path.Combine(_folder, "model.safetensors");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory, Devices]
    public void ReadsWhatItWrote(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        WriteSample(device);
        using var file = SafetensorsFile.Open(FilePath);
        Assert.True(file.HasChecksum);
        Assert.Equal(["encoder.weight", "größe \"1\"\n", "empty", "single", "ids"], file.Names);
        Assert.Equal([("architecture", "dynamicconv"), ("note", "zwei\nZeilen")], file.Metadata.Select(m => (m.Key, m.Value)));
        Assert.Equal([2, 3], file.ShapeOf("encoder.weight"));
        Assert.Equal([], file.ShapeOf("single"));
        Assert.Equal(DType.Int32, file.DTypeOf("ids"));
        Assert.Equal([1.5f, -2f, float.NaN, float.NegativeInfinity, 1e-40f, -0f], file.ReadFloats("encoder.weight"));
        Assert.Equal([], file.ReadFloats("empty"));
        Assert.Equal([7, int.MinValue], file.ReadInts("ids"));
        var into = Tensor.Zeros(device, [2, 3]);
        file.Read("encoder.weight", into);
        Assert.Equal(file.ReadFloats("encoder.weight"), into.ToArray());
        var ids = Tensor.From(device, [0, 0]);
        file.Read("ids", ids);
        Assert.Equal([7, int.MinValue], ids.ToIntArray());
    }

    [Theory, Devices]
    public void TheSameTensorsGiveTheSameBytesAndAlignedData(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        WriteSample(device);
        byte[] first = File.ReadAllBytes(FilePath);
        WriteSample(device);
        Assert.Equal(first, File.ReadAllBytes(FilePath));
        Assert.Equal(0UL, BinaryPrimitives.ReadUInt64LittleEndian(first) % 8);
        Assert.Equal([FilePath], Directory.GetFiles(_folder));
    }

    [Theory, Devices]
    public void LargeTensorsCrossChunksUnchanged(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        float[] values = [.. Enumerable.Range(0, 700_001).Select(i => i * 0.5f)];
        SafetensorsWriter.Write(FilePath, [new("a", Tensor.From(device, [3f])), new("b", Tensor.From(device, values)), new("c", Tensor.From(device, [4f]))]);
        using var file = SafetensorsFile.Open(FilePath);
        Assert.Equal(values, file.ReadFloats("b"));
        var into = Tensor.Zeros(device, [700_001]);
        file.Read("b", into);
        Assert.Equal(values, into.ToArray());
        Assert.Equal([4f], file.ReadFloats("c"));
    }

    [Theory, Devices]
    public void RowsOfAViewAreWritten(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [1f, 2f, 3f, 4f, 5f, 6f], [3, 2]);
        SafetensorsWriter.Write(FilePath, [new("rows", x.Rows(1, 2))]);
        using var file = SafetensorsFile.Open(FilePath);
        Assert.Equal([3f, 4f, 5f, 6f], file.ReadFloats("rows"));
    }

    [Theory, Devices]
    public void EveryTruncationIsRefused(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        WriteSample(device);
        byte[] whole = File.ReadAllBytes(FilePath);
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(FilePath, whole[..length]);
            RefusesWithOneLine();
        }

        File.WriteAllBytes(FilePath, [.. whole, 0]);
        RefusesWithOneLine();
    }

    [Theory, Devices]
    public void EveryFlippedBitIsRefused(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        WriteSample(device);
        byte[] whole = File.ReadAllBytes(FilePath);
        for (int bit = 0; bit < 8 * whole.Length; bit++)
        {
            byte[] flipped = [.. whole];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            File.WriteAllBytes(FilePath, flipped);
            RefusesWithOneLine();
        }
    }

    // Without a checksum a flipped bit may give another valid file, but never anything except a file or a refusal.
    [Fact]
    public void AFileOfAnotherWriterIsReadOrRefusedWhateverBitFlips()
    {
        byte[] whole = Bytes("""{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[1],"data_offsets":[6,10]},"a":{"dtype":"BF16","shape":[3,1],"data_offsets":[0,6]}}  """, new byte[10]);
        int read = 0;
        for (int bit = 0; bit < 8 * whole.Length; bit++)
        {
            byte[] flipped = [.. whole];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            File.WriteAllBytes(FilePath, flipped);
            try
            {
                using var file = SafetensorsFile.Open(FilePath);
                foreach (string tensor in file.Names)
                {
                    file.ShapeOf(tensor);
                    if (file.StoredTypeOf(tensor) is "F32" or "BF16" or "F16")
                        file.ReadFloats(tensor);
                }

                read++;
            }
            catch (InvalidDataException e)
            {
                Assert.DoesNotContain('\n', e.Message);
            }
        }

        Assert.InRange(read, 80, 8 * whole.Length);
    }

    [Fact]
    public void ReadsHalfPrecisionAsFloats()
    {
        byte[] data = new byte[16];
        ushort[] bfloats = [0x3F80, 0xC049, 0x7F80, 0x0001], halves = [0x3C00, 0xC248, 0x7C00, 0x0001];
        MemoryMarshal.AsBytes(bfloats.AsSpan()).CopyTo(data);
        MemoryMarshal.AsBytes(halves.AsSpan()).CopyTo(data.AsSpan(8));
        File.WriteAllBytes(FilePath, Bytes("""{"b":{"dtype":"BF16","shape":[4],"data_offsets":[0,8]},"h":{"dtype":"F16","shape":[2,2],"data_offsets":[8,16]}}""", data));
        using var file = SafetensorsFile.Open(FilePath);
        Assert.False(file.HasChecksum);
        Assert.Equal(DType.Float32, file.DTypeOf("b"));
        Assert.Equal([1f, -3.140625f, float.PositiveInfinity, 9.1835496e-41f], file.ReadFloats("b"));
        Assert.Equal([1f, -3.140625f, float.PositiveInfinity, 5.9604645e-8f], file.ReadFloats("h"));
    }

    [Theory]
    [InlineData("", "the header must be JSON, got an error behind byte 0")]
    [InlineData("[]", "the header must be a JSON object")]
    [InlineData("{", "the header must be JSON, got an error behind byte 1")]
    [InlineData("{} x", "the header must be JSON, got an error behind byte 3")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}{}", "the header must be JSON, got an error behind byte 53")]
    [InlineData("{\"a\":1}", "a: must be an object with dtype, shape and data_offsets")]
    [InlineData("{\"a\":{}}", "a: must have dtype, shape and data_offsets")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4],\"x\":1}}", "a: must have dtype, shape and data_offsets once each and nothing else, got x")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", "a: must have dtype, shape and data_offsets once each and nothing else, got dtype")]
    [InlineData("{\"a\":{\"dtype\":\"F33\",\"shape\":[],\"data_offsets\":[0,4]}}", "a: dtype must be one of the format's, got F33")]
    [InlineData("{\"a\":{\"dtype\":4,\"shape\":[],\"data_offsets\":[0,4]}}", "a: dtype must be a text")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":4,\"data_offsets\":[0,4]}}", "a: shape must be a list of numbers")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}", "a: shape must be whole numbers from 0 to 2^63 - 1")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", "a: shape must be whole numbers from 0 to 2^63 - 1")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[18446744073709551617],\"data_offsets\":[0,4]}}", "a: shape must be whole numbers from 0 to 2^63 - 1")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[[1]],\"data_offsets\":[0,4]}}", "a: shape must be whole numbers from 0 to 2^63 - 1")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", "a: F32 [2] must fill its data_offsets, got [0, 4]")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,4611686018427387905],\"data_offsets\":[0,4]}}", "a: F32 [4294967296, 4294967296, 4611686018427387905] must fill its data_offsets, got [0, 4]")]
    [InlineData("{\"a\":{\"dtype\":\"F4\",\"shape\":[7],\"data_offsets\":[0,4]}}", "a: F4 [7] must fill its data_offsets, got [0, 4]")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}", "a: data_offsets must be [begin, end] inside the 4 bytes of data, got [0, 8]; is the file cut off?")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", "a: data_offsets must be [begin, end] inside the 4 bytes of data, got [4, 0]")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", "a: data_offsets must be [begin, end] inside the 4 bytes of data, got [0]")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "b: must begin at byte 4, where the tensor before it ends, got 0")]
    [InlineData("{\"a\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[2,4]}}", "a: must begin at byte 0, where the tensor before it ends, got 2")]
    [InlineData("{\"a\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]}}", "the data must be 2 bytes, got 4")]
    [InlineData("{}", "the data must be 0 bytes, got 4")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "names must be distinct, got a twice")]
    [InlineData("{\"__metadata__\":3}", "the metadata must be texts by name")]
    [InlineData("{\"__metadata__\":{\"a\":3}}", "the metadata must be texts by name, got another value for a")]
    [InlineData("{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}", "the metadata's names must be distinct, got a twice")]
    [InlineData("{\"__metadata__\":{},\"__metadata__\":{}}", "names must be distinct, got __metadata__ twice")]
    [InlineData("{\"__metadata__\":{\"cudaseq.sha256\":\"12\"},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "the checksum must be an entry cudaseq.sha256 of 64 hexadecimal digits, announced by cudaseq.checksum")]
    [InlineData("{\"__metadata__\":{\"cudaseq.checksum\":\"sha256\"},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "the checksum must be an entry cudaseq.sha256 of 64 hexadecimal digits, announced by cudaseq.checksum")]
    [InlineData("{\"li\\nne\":1}", "li?ne: must be an object with dtype, shape and data_offsets")]
    public void HostileHeadersAreRefused(string header, string message)
    {
        File.WriteAllBytes(FilePath, Bytes(header, new byte[4]));
        Assert.Equal($"{FilePath}: {message}{(message.EndsWith('?') ? "" : ".")}", Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(FilePath)).Message);
    }

    [Fact]
    public void HostileBytesAreRefused()
    {
        Refuses([], "is no safetensors file: must begin with 8 bytes of header length, got 0 bytes in all");
        Refuses([1, 2, 3], "is no safetensors file: must begin with 8 bytes of header length, got 3 bytes in all");
        Refuses([255, 255, 255, 255, 255, 255, 255, 255], "is no safetensors file: must begin with a header's length of at most 100,000,000 bytes");
        Refuses([3, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'}'], "is no safetensors file, or is cut off: the header must fit into it, got a header of 3 bytes in a file of 10");
        Refuses([0, 0, 0, 0, 0, 0, 0, 0], "the header must be JSON, got an error behind byte 0");
        Refuses([6, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'"', 0xFF, (byte)'"', (byte)':', (byte)'1'], "the header must be valid UTF-8");
        string deep = "{\"a\":" + new string('[', 100_000);
        Refuses(Bytes(deep, []), "a: must be an object with dtype, shape and data_offsets");

        void Refuses(byte[] bytes, string message)
        {
            File.WriteAllBytes(FilePath, bytes);
            Assert.Equal($"{FilePath}: {message}.", Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(FilePath)).Message);
        }
    }

    [Theory, Devices]
    public void ReadingSaysWhatDoesNotFit(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        byte[] header = Bytes("""{"w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"n":{"dtype":"I64","shape":[],"data_offsets":[8,16]},"r":{"dtype":"F32","shape":[1,1,1,1,1,1,0],"data_offsets":[16,16]},"z":{"dtype":"F32","shape":[4294967296,0],"data_offsets":[16,16]}}""", new byte[16]);
        File.WriteAllBytes(FilePath, header);
        using var file = SafetensorsFile.Open(FilePath);
        Refuses("w is [2, 1], the model wants [2]", () => file.Read("w", Tensor.Zeros(device, [2])));
        Refuses("w is F32, the model wants Int32", () => file.Read("w", Tensor.From(device, [1, 2], [2, 1])));
        Refuses("w is F32, asked for Int32", () => file.ReadInts("w"));
        Refuses("n: elements must be F32, F16, BF16 or I32 to be read, got I64", () => file.ReadFloats("n"));
        Refuses("must have a tensor called x, got none", () => file.ReadFloats("x"));
        Refuses("r: must have at most 6 axes and 2^40 elements, got 7 axes", () => file.ShapeOf("r"));
        Refuses("z: must have at most 6 axes and 2^40 elements, got 2 axes", () => file.ShapeOf("z"));
        Assert.True(file.Contains("n"));
        Assert.Equal("I64", file.StoredTypeOf("n"));

        void Refuses(string message, Action call) => Assert.Equal($"{FilePath}: {message}.", Assert.Throws<InvalidDataException>(call).Message);
    }

    [Theory, Devices]
    public void AFileThatShrinksWhileOpenIsRefused(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        WriteSample(device);
        using var file = SafetensorsFile.Open(FilePath);
        using (var shrink = new FileStream(FilePath, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
            shrink.SetLength(shrink.Length - 4);
        Assert.Contains("must not shrink while it is read", Assert.Throws<InvalidDataException>(() => file.ReadInts("ids")).Message);
    }

    [Theory, Devices]
    public void AFailedWriteKeepsTheOldFile(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        WriteSample(device);
        byte[] before = File.ReadAllBytes(FilePath);
        var dead = Tensor.From(device, [1f]);
        dead.Dispose();
        Assert.Throws<ObjectDisposedException>(() => SafetensorsWriter.Write(FilePath, [new("a", Tensor.From(device, [1f])), new("b", dead)]));
        Assert.Equal(before, File.ReadAllBytes(FilePath));
        Assert.Equal([FilePath], Directory.GetFiles(_folder));
        Assert.Throws<DirectoryNotFoundException>(() => SafetensorsWriter.Write(Path.Combine(_folder, "absent", "x"), []));
    }

    [Theory, Devices]
    public void WritingRefusesNamesThatCannotBeRead(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [1f]);
        Refuses("SafetensorsWriter: names must be distinct, got a twice.", [new("a", x), new("a", x)], null);
        Refuses("SafetensorsWriter: no tensor may be called __metadata__.", [new("__metadata__", x)], null);
        Refuses("SafetensorsWriter: the metadata entry \"cudaseq.sha256\" is the writer's own.", [], new() { ["cudaseq.sha256"] = "" });
        Assert.Empty(Directory.GetFiles(_folder));

        void Refuses(string message, KeyValuePair<string, Tensor>[] tensors, Dictionary<string, string>? metadata)
            => Assert.Equal(message, Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(FilePath, tensors, metadata)).Message);
    }

    [Fact]
    public void AnAbsentFileIsAnIOException() => Assert.Throws<FileNotFoundException>(() => SafetensorsFile.Open(FilePath));

    // The file was written by the Python library from PyTorch, its expected output computed by PyTorch: x = ones -> conv -> batch norm -> relu -> linear.
    [Fact]
    public void ReadsAFileOfPyTorch()
    {
        string folder = TestData.Require("truth/safetensors");
        using var file = SafetensorsFile.Open(Path.Combine(folder, "multi_layer.safetensors"));
        using var expected = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "expected.json")));
        float[] weight = file.ReadFloats("conv1.weight"), bias = file.ReadFloats("conv1.bias"), linear = file.ReadFloats("fc1.weight"), y = file.ReadFloats("fc1.bias");
        float[] gain = file.ReadFloats("norm1.weight"), shift = file.ReadFloats("norm1.bias"), mean = file.ReadFloats("norm1.running_mean"), variance = file.ReadFloats("norm1.running_var");
        Assert.Equal([4, 3, 3, 3], file.ShapeOf("conv1.weight"));
        for (int position = 0; position < 4 * 8 * 8; position++)
        {
            int channel = position / 64, row = position / 8 % 8, column = position % 8;
            double sum = bias[channel];
            for (int tap = 0; tap < 27; tap++)
            {
                int r = row + (tap / 3 % 3) - 1, c = column + (tap % 3) - 1;
                sum += r is >= 0 and < 8 && c is >= 0 and < 8 ? weight[(channel * 27) + tap] : 0;
            }

            double hidden = Math.Max(0, ((sum - mean[channel]) / Math.Sqrt(variance[channel] + 1e-5) * gain[channel]) + shift[channel]);
            for (int o = 0; o < 16; o++)
                y[o] += (float)(linear[(o * 256) + position] * hidden);
        }

        float[] exact = [.. expected.RootElement.GetProperty("expected").EnumerateArray().Select(e => e.GetSingle())];
        Assert.Equal(16, exact.Length);
        for (int o = 0; o < 16; o++)
            Assert.InRange(y[o], exact[o] - 2e-6, exact[o] + 2e-6);
    }

    private static byte[] Bytes(string header, byte[] data)
    {
        byte[] json = Encoding.UTF8.GetBytes(header), length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        return [.. length, .. json, .. data];
    }

    private void WriteSample(Device device) => SafetensorsWriter.Write(
        FilePath,
        [
            new("encoder.weight", Tensor.From(device, [1.5f, -2f, float.NaN, float.NegativeInfinity, 1e-40f, -0f], [2, 3])),
            new("größe \"1\"\n", Tensor.From(device, [1f])),
            new("empty", Tensor.Zeros(device, [0, 4])),
            new("single", Tensor.From(device, [3f], [])),
            new("ids", Tensor.From(device, [7, int.MinValue])),
        ],
        new Dictionary<string, string> { ["architecture"] = "dynamicconv", ["note"] = "zwei\nZeilen" });

    private void RefusesWithOneLine()
    {
        string message = Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(FilePath)).Message;
        Assert.StartsWith($"{FilePath}: ", message);
        Assert.True(message[^1] is '.' or '?', message);
        Assert.DoesNotContain('\n', message);
        Assert.InRange(message.Length, FilePath.Length + 10, FilePath.Length + 300);
    }
}
