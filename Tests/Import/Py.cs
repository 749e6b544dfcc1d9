using System.Buffers.Binary;
using System.Text;

namespace CudaSeq.Tests;

/// <summary>
/// Python values, and a writer of their pickles as CPython writes them: what occurs again is remembered. Besides these there are null, bool, int, long, double, string, byte[],
/// object?[] for tuples and List of object? for lists.
/// </summary>
internal static class Py
{
    public static Dict Dictionary(params (object? Key, object? Value)[] items) => new([.. items]);

    public static object?[] Tuple(params object?[] items) => items;

    public static List<object?> List(params object?[] items) => [.. items];

    public static Call OrderedDictionary(params (object? Key, object? Value)[] items)
        => new(new Global("collections", "OrderedDict"), [], State: Dictionary(("_metadata", new Call(new Global("collections", "OrderedDict"), []))), Items: items);

    /// <summary>An argparse.Namespace.</summary>
    public static Call Namespace(params (object? Key, object? Value)[] items) => new(new Global("argparse", "Namespace"), [], State: Dictionary(items), New: true);

    public static byte[] Pickle(object? value, int protocol = 2)
    {
        var writer = new Writer(protocol);
        writer.Write(value);
        return writer.End();
    }

    internal sealed record Dict(List<(object? Key, object? Value)> Items);

    internal sealed record Global(string Module, string Name);

    /// <summary>What a function or class makes, then gets as attributes, then holds as a dictionary.</summary>
    internal sealed record Call(Global Function, object?[] Arguments, object? State = null, (object? Key, object? Value)[]? Items = null, bool New = false);

    internal sealed record Persistent(object?[] Id);

    /// <summary>Operations, as bytes.</summary>
    internal sealed record Raw(params byte[] Bytes);

    private sealed class Writer(int protocol)
    {
        private readonly MemoryStream _out = new();
        private readonly Dictionary<object, uint> _memo = new(ReferenceEqualityComparer.Instance);
        private readonly Dictionary<string, uint> _names = new(StringComparer.Ordinal);
        private uint _count;

        public byte[] End()
        {
            byte[] body = [.. _out.ToArray(), (byte)'.'];
            byte[] frame = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(frame, body.Length);
            return protocol >= 4 ? [0x80, (byte)protocol, 0x95, .. frame, .. body] : [0x80, (byte)protocol, .. body];
        }

        public void Write(object? value)
        {
            if (value is not null and not object[] { Length: 0 } && _memo.TryGetValue(value, out uint index))
            {
                Get(index);
                return;
            }

            switch (value)
            {
                case null: Op('N'); break;
                case bool flag: Byte(flag ? 0x88 : 0x89); break;
                case int number: Integer(number); break;
                case long number: Integer(number); break;
                case double number: Op('G'); Bytes(8, b => BinaryPrimitives.WriteDoubleBigEndian(b, number)); break;
                case string text: Text(text); break;
                case byte[] { Length: < 256 } bytes: Op('C'); Byte(bytes.Length); _out.Write(bytes); break;
                case byte[] bytes: Op('B'); Bytes(4, b => BinaryPrimitives.WriteInt32LittleEndian(b, bytes.Length)); _out.Write(bytes); break;
                case object?[] tuple: Tuple(tuple); break;
                case List<object?> list: List(list); break;
                case Dict dictionary: Byte('}'); Put(dictionary); Items(dictionary.Items); break;
                case Global global: Name(global); break;
                case Persistent persistent: Write(persistent.Id); Op('Q'); break;
                case Raw raw: _out.Write(raw.Bytes); break;
                case Call call: Make(call); break;
                default: throw new ArgumentException($"no pickle of {value}");
            }
        }

        private void Make(Call call)
        {
            Write(call.Function);
            Write(call.Arguments);
            Byte(call.New ? 0x81 : 'R');
            Put(call);
            if (call.Items is not null)
                Items([.. call.Items]);
            if (call.State is null)
                return;
            Write(call.State);
            Op('b');
        }

        private void List(List<object?> list)
        {
            Op(']');
            Put(list);
            if (list.Count == 0)
                return;
            Op('(');
            list.ForEach(Write);
            Op('e');
        }

        private void Items(List<(object? Key, object? Value)> items)
        {
            if (items.Count == 0)
                return;
            Op('(');
            foreach (var (key, value) in items)
            {
                Write(key);
                Write(value);
            }

            Op('u');
        }

        private void Tuple(object?[] tuple)
        {
            if (tuple.Length > 3)
                Op('(');
            foreach (object? item in tuple)
                Write(item);
            Byte(tuple.Length switch { 0 => ')', > 3 => 't', _ => 0x84 + tuple.Length });
            if (tuple.Length > 0)
                Put(tuple);
        }

        // Texts and names that are equal are one object with CPython.
        private void Text(string text)
        {
            if (_names.TryGetValue(text, out uint index))
            {
                Get(index);
                return;
            }

            byte[] bytes = Encoding.UTF8.GetBytes(text);
            if (protocol >= 4 && bytes.Length < 256)
            {
                Byte(0x8C);
                Byte(bytes.Length);
            }
            else
            {
                Op('X');
                Bytes(4, b => BinaryPrimitives.WriteInt32LittleEndian(b, bytes.Length));
            }

            _out.Write(bytes);
            _names.Add(text, _count);
            PutNext();
        }

        private void Name(Global global)
        {
            string key = $"{global.Module}\n{global.Name}\n";
            if (_names.TryGetValue(key, out uint index))
            {
                Get(index);
                return;
            }

            if (protocol >= 4)
            {
                Write(global.Module);
                Write(global.Name);
                Byte(0x93);
            }
            else
            {
                Op('c');
                _out.Write(Encoding.UTF8.GetBytes(key));
            }

            _names.Add(key, _count);
            PutNext();
        }

        private void Integer(long number)
        {
            if (number is >= 0 and < 256)
            {
                Op('K');
                Byte((int)number);
            }
            else if (number is >= 0 and < 65536)
            {
                Op('M');
                Bytes(2, b => BinaryPrimitives.WriteUInt16LittleEndian(b, (ushort)number));
            }
            else if (number is >= int.MinValue and <= int.MaxValue)
            {
                Op('J');
                Bytes(4, b => BinaryPrimitives.WriteInt32LittleEndian(b, (int)number));
            }
            else
            {
                Byte(0x8A);
                Byte(8);
                Bytes(8, b => BinaryPrimitives.WriteInt64LittleEndian(b, number));
            }
        }

        private void Put(object value)
        {
            _memo[value] = _count;
            PutNext();
        }

        private void PutNext()
        {
            if (protocol >= 4)
                Byte(0x94);
            else if (_count < 256)
                Bytes(2, b => (b[0], b[1]) = ((byte)'q', (byte)_count));
            else
                Bytes(5, b => { b[0] = (byte)'r'; BinaryPrimitives.WriteUInt32LittleEndian(b.AsSpan(1), _count); });
            _count++;
        }

        private void Get(uint index)
        {
            if (index < 256)
                Bytes(2, b => (b[0], b[1]) = ((byte)'h', (byte)index));
            else
                Bytes(5, b => { b[0] = (byte)'j'; BinaryPrimitives.WriteUInt32LittleEndian(b.AsSpan(1), index); });
        }

        private void Op(char code) => _out.WriteByte((byte)code);

        private void Byte(int value) => _out.WriteByte((byte)value);

        private void Bytes(int count, Action<byte[]> fill)
        {
            var bytes = new byte[count];
            fill(bytes);
            _out.Write(bytes);
        }
    }
}
