using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Pickles: those of CPython are read, all others refused in one line, and nothing is run.</summary>
public sealed class PickleReaderTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void ReadsWhatCPythonWrites(int protocol)
    {
        var shared = Py.List(1, "two");
        string wide = new('ü', 300);
        var root = Py.Dictionary(
            ("none", null), ("true", true), ("false", false), ("small", 7), ("wide", 70_000), ("negative", -3), ("long", 1L << 40), ("float", 0.1), ("text", wide), ("again", wide),
            ("bytes", new byte[] { 1, 2 }), ("many", new byte[300]), ("tuple", Py.Tuple()), ("three", Py.Tuple(1, 2, 3)), ("four", Py.Tuple(1, 2, 3, 4)), ("list", shared), ("same", shared),
            ("ordered", Py.OrderedDictionary(("a", 1), ("b", 2))), ("args", Py.Namespace(("arch", "transformer"))), (5, "not asked for"));
        var texts = Assert.IsType<PickleDictionary>(Read(root, protocol)).Texts;
        Assert.Null(texts["none"]);
        Assert.Equal((object[])[true, false, 7L, 70_000L, -3L, 1L << 40, 0.1, wide, wide], ((string[])["true", "false", "small", "wide", "negative", "long", "float", "text", "again"]).Select(n => texts[n]!));
        Assert.Equal([1, 2], Assert.IsType<byte[]>(texts["bytes"]));
        Assert.Equal(300, Assert.IsType<byte[]>(texts["many"]).Length);
        Assert.Empty(Assert.IsType<object[]>(texts["tuple"]));
        Assert.Equal((object[])[1L, 2L, 3L], Assert.IsType<object[]>(texts["three"]));
        Assert.Equal((object[])[1L, 2L, 3L, 4L], Assert.IsType<object[]>(texts["four"]));
        Assert.Equal((object[])[1L, "two"], Assert.IsType<List<object?>>(texts["list"]));
        Assert.Same(texts["list"], texts["same"]);
        Assert.Equal(["a", "b"], Assert.IsType<PickleDictionary>(texts["ordered"]).Texts.Keys);
        var record = Assert.IsType<PickleRecord>(texts["args"]);
        Assert.Equal("argparse.Namespace", record.Type.Name);
        Assert.Equal("transformer", record.Attributes["arch"]);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void ClassesThatAreNotOnTheListAreRefused(int protocol)
    {
        Refuses("names os.system, which is none of the classes that are read; nothing of a checkpoint is run", new Py.Call(new Py.Global("os", "system"), ["touch /tmp/owned"]), protocol);
        Refuses("names builtins.eval, which is none of the classes that are read; nothing of a checkpoint is run", new Py.Call(new Py.Global("builtins", "eval"), ["1"]), protocol);
        Refuses("names builtins.getattr, which is none of the classes that are read; nothing of a checkpoint is run", new Py.Global("builtins", "getattr"), protocol);
        Refuses("names torch.load, which is none of the classes that are read; nothing of a checkpoint is run", new Py.Global("torch", "load"), protocol);
        Refuses(
            $"names {new string('a', 100)}..., which is none of the classes that are read; nothing of a checkpoint is run", new Py.Global(new string('a', 3000), "b"), protocol);
        Refuses("names a?[31m.b, which is none of the classes that are read; nothing of a checkpoint is run", new Py.Global("a\e[31m", "b"), protocol);
    }

    // What is on the list is not run either: a bytearray of 2^40 bytes, a list made of a list, an encoding.
    [Fact]
    public void KnownClassesAreRecords()
    {
        var made = Assert.IsType<PickleRecord>(Read(new Py.Call(new Py.Global("builtins", "bytearray"), [1L << 40])));
        Assert.Equal((object[])[1L << 40], Assert.IsType<object[]>(made.State));
        Assert.Equal("_codecs.encode", Assert.IsType<PickleRecord>(Read(new Py.Call(new Py.Global("_codecs", "encode"), ["a", "latin1"]))).Type.Name);
    }

    [Fact]
    public void DeepNestingCostsNoStack()
    {
        const int Depth = 900_000;
        byte[] bytes = [0x80, 2, .. Enumerable.Repeat((byte)']', Depth), .. Enumerable.Repeat((byte)'a', Depth - 1), (byte)'.'];
        int depth = 0;
        for (object? value = Read(bytes); value is List<object?> list; value = list.Count > 0 ? list[0] : null)
            depth++;
        Assert.Equal(Depth, depth);
        byte[] tuples = [0x80, 2, (byte)'N', .. Enumerable.Repeat((byte)0x85, Depth), (byte)'.'];
        Assert.IsType<object[]>(Read(tuples));
    }

    // A list that holds itself, and ten lists of ten times the same list: references, not copies.
    [Fact]
    public void WhatIsRememberedIsNotCopied()
    {
        var self = Assert.IsType<List<object?>>(Read(new Py.Raw((byte)']', (byte)'q', 0, (byte)'h', 0, (byte)'a')));
        Assert.Same(self, self[0]);
        var bytes = new List<byte> { 0x80, 2, (byte)']', (byte)'q', 0 };
        for (byte level = 1; level < 200; level++)
        {
            bytes.AddRange([(byte)']', (byte)'q', level, (byte)'(']);
            for (int i = 0; i < 10; i++)
                bytes.AddRange([(byte)'h', (byte)(level - 1)]);
            bytes.Add((byte)'e');
        }

        bytes.Add((byte)'.');
        var list = Assert.IsType<List<object?>>(Read([.. bytes]));
        Assert.All(list, l => Assert.Same(list[0], l));
    }

    [Fact]
    public void TooManyOperationsAreRefused()
    {
        byte[] bytes = [0x80, 2, .. Enumerable.Repeat((byte)'}', 2_200_000), (byte)'.'];
        Assert.Equal("x.pt: the pickle must have at most 2097152 operations, got more.", Message(bytes));
    }

    public static TheoryData<string, string> Damaged => new()
    {
        { "", "must begin with its protocol, got something else" },
        { "2E", "must begin with its protocol, got something else" },
        { "80012E", "must be of protocol 2 to 5, got 1" },
        { "80062E", "must be of protocol 2 to 5, got 6" },
        { "80", "must hold 1 more bytes at byte 1, got 0; is it cut off?" },
        { "8002", "must hold 1 more bytes at byte 2, got 0; is it cut off?" },
        { "80022E", "must have a value for the operation at byte 2, got none" },
        { "800258FFFFFFFF41", "must hold 4294967295 more bytes at byte 7, got 1; is it cut off?" },
        { "80048DFFFFFFFFFFFFFFFF41", "must hold 18446744073709551615 more bytes at byte 11, got 1; is it cut off?" },
        { "80028B0000008041", "must hold 2147483648 more bytes at byte 7, got 1; is it cut off?" },
        { "800495FFFFFFFFFFFFFFFF2E", "must hold 18446744073709551615 more bytes at byte 11, got 1; is it cut off?" },
        { "80025801000000FF2E", "must have texts in UTF-8, got another one at byte 7" },
        { "8002636F73", "must end the name that begins at byte 3, got its end; is it cut off?" },
        { "800268052E", "must have kept what it refers to, got 5 at byte 3" },
        { "80026A000000802E", "must have kept what it refers to, got 2147483648 at byte 6" },
        { "8002652E", "must have a mark for the operation at byte 2, got none" },
        { "80024E612E", "must have a value for the operation at byte 3, got none" },
        { "80024E4E612E", "must append to a list, got something else at byte 4" },
        { "80027D284E752E", "must set pairs in a dictionary, got something else at byte 5" },
        { "80025D284E4E752E", "must set pairs in a dictionary, got something else at byte 6" },
        { "80024E4E622E", "must give attributes to an object, got something else at byte 4" },
        { "80024E29522E", "must call a class or function with a tuple, got something else at byte 4" },
        { "80024E512E", "must refer to storages by class, key, device and number of elements, got something else at byte 3" },
        { "80044B014B02932E", "must name a class by two texts, got something else at byte 6" },
        { "800282012E", "must hold operations of the protocols 2 to 5 without buffers of others, got 0x82 at byte 2" },
        { "800549 310A2E", "must hold operations of the protocols 2 to 5 without buffers of others, got 0x49 at byte 2" },
        { "8005972E", "must hold operations of the protocols 2 to 5 without buffers of others, got 0x97 at byte 2" },
        { "8002302E", "must have a value for the operation at byte 2, got none" },
        { "80024E28852E", "must have a value for the operation at byte 4, got none" },
    };

    [Theory]
    [MemberData(nameof(Damaged))]
    public void EveryDamageHasItsLine(string hex, string message)
        => Assert.Equal($"x.pt: the pickle {message}{(message.EndsWith('?') ? "" : ".")}", Message(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal))));

    // Never anything but a value or a refusal, whatever byte is another.
    [Fact]
    public void WhateverByteIsAnotherItIsReadOrRefused()
    {
        byte[] whole = Py.Pickle(Py.Dictionary(("args", Py.Namespace(("a", 1), ("b", Py.List(0.5, "x")))), ("model", Py.OrderedDictionary(("w", FairseqStates.Tensor("0", 2, 3))))));
        for (int length = 0; length < whole.Length; length++)
            Assert.DoesNotContain('\n', Message(whole[..length]));
        int read = 0;
        for (int i = 0; i < whole.Length; i++)
        {
            foreach (int flip in (int[])[1, 2, 4, 8, 16, 32, 64, 128, 255])
            {
                byte[] other = [.. whole];
                other[i] ^= (byte)flip;
                try
                {
                    Read(other);
                    read++;
                }
                catch (InvalidDataException e)
                {
                    Assert.DoesNotContain('\n', e.Message);
                }
            }
        }

        Assert.InRange(read, 100, 9 * whole.Length);
    }

    private static void Refuses(string message, object value, int protocol) => Assert.Equal($"x.pt: the pickle {message}.", Message(Py.Pickle(value, protocol)));

    private static string Message(byte[] bytes) => Assert.Throws<InvalidDataException>(() => Read(bytes)).Message;

    private static object? Read(object? value, int protocol = 2) => Read(Py.Pickle(value, protocol));

    private static object? Read(byte[] bytes)
    {
        int at = 0;
        return PickleReader.Read("x.pt", bytes, ref at);
    }
}
