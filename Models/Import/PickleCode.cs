namespace CudaSeq.Models;

/// <summary>The operations of pickles of protocol 2 to 5 that are read. What CPython writes for these protocols is among them, but for buffers that lie elsewhere.</summary>
internal static class PickleCode
{
    /// <summary>The protocol's number follows.</summary>
    public const byte Protocol = 0x80;

    /// <summary>The length of what follows, eight bytes.</summary>
    public const byte Frame = 0x95;

    /// <summary>The end.</summary>
    public const byte Stop = (byte)'.';

    /// <summary>Remembers the height of the stack.</summary>
    public const byte Mark = (byte)'(';

    /// <summary>Drops a value, or a mark.</summary>
    public const byte Pop = (byte)'0';

    /// <summary>Drops all down to the mark.</summary>
    public const byte PopMark = (byte)'1';

    /// <summary>Repeats the value on top.</summary>
    public const byte Duplicate = (byte)'2';

    /// <summary>None.</summary>
    public const byte None = (byte)'N';

    /// <summary>True.</summary>
    public const byte True = 0x88;

    /// <summary>False.</summary>
    public const byte False = 0x89;

    /// <summary>A number of four bytes with a sign.</summary>
    public const byte Int = (byte)'J';

    /// <summary>A number of one byte.</summary>
    public const byte Int1 = (byte)'K';

    /// <summary>A number of two bytes.</summary>
    public const byte Int2 = (byte)'M';

    /// <summary>A number whose length is one byte.</summary>
    public const byte Long1 = 0x8A;

    /// <summary>A number whose length is four bytes.</summary>
    public const byte Long4 = 0x8B;

    /// <summary>A float of eight bytes, the highest first.</summary>
    public const byte Float = (byte)'G';

    /// <summary>A text whose length is one byte.</summary>
    public const byte ShortText = 0x8C;

    /// <summary>A text whose length is four bytes.</summary>
    public const byte Text = (byte)'X';

    /// <summary>A text whose length is eight bytes.</summary>
    public const byte LongText = 0x8D;

    /// <summary>Bytes whose length is one byte.</summary>
    public const byte ShortBytes = (byte)'C';

    /// <summary>Bytes whose length is four bytes.</summary>
    public const byte Bytes = (byte)'B';

    /// <summary>Bytes whose length is eight bytes.</summary>
    public const byte LongBytes = 0x8E;

    /// <summary>Bytes that may change, whose length is eight bytes.</summary>
    public const byte ByteArray = 0x96;

    /// <summary>A tuple of nothing.</summary>
    public const byte EmptyTuple = (byte)')';

    /// <summary>A tuple of one value.</summary>
    public const byte Tuple1 = 0x85;

    /// <summary>A tuple of two values.</summary>
    public const byte Tuple2 = 0x86;

    /// <summary>A tuple of three values.</summary>
    public const byte Tuple3 = 0x87;

    /// <summary>A tuple of all down to the mark.</summary>
    public const byte Tuple = (byte)'t';

    /// <summary>A list of nothing.</summary>
    public const byte EmptyList = (byte)']';

    /// <summary>A value more for a list.</summary>
    public const byte Append = (byte)'a';

    /// <summary>All down to the mark for a list.</summary>
    public const byte Appends = (byte)'e';

    /// <summary>A set of nothing.</summary>
    public const byte EmptySet = 0x8F;

    /// <summary>All down to the mark for a set.</summary>
    public const byte AddItems = 0x90;

    /// <summary>A frozen set of all down to the mark.</summary>
    public const byte FrozenSet = 0x91;

    /// <summary>A dictionary of nothing.</summary>
    public const byte EmptyDictionary = (byte)'}';

    /// <summary>A key and its value for a dictionary.</summary>
    public const byte SetItem = (byte)'s';

    /// <summary>Keys and values down to the mark for a dictionary.</summary>
    public const byte SetItems = (byte)'u';

    /// <summary>A class or function: module and name in two lines.</summary>
    public const byte Global = (byte)'c';

    /// <summary>A class or function: module and name on the stack.</summary>
    public const byte StackGlobal = 0x93;

    /// <summary>Calls a function.</summary>
    public const byte Reduce = (byte)'R';

    /// <summary>Makes an object of a class.</summary>
    public const byte NewObject = 0x81;

    /// <summary>Makes an object of a class, with arguments by name.</summary>
    public const byte NewObjectByName = 0x92;

    /// <summary>Gives an object its attributes.</summary>
    public const byte Build = (byte)'b';

    /// <summary>Remembers the value on top under a number of one byte.</summary>
    public const byte Put = (byte)'q';

    /// <summary>Remembers the value on top under a number of four bytes.</summary>
    public const byte LongPut = (byte)'r';

    /// <summary>Remembers the value on top under the next number.</summary>
    public const byte Memoize = 0x94;

    /// <summary>What was remembered under a number of one byte.</summary>
    public const byte Get = (byte)'h';

    /// <summary>What was remembered under a number of four bytes.</summary>
    public const byte LongGet = (byte)'j';

    /// <summary>Something outside the pickle: with PyTorch, a storage.</summary>
    public const byte PersistentId = (byte)'Q';
}
