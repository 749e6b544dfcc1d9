namespace CudaSeq.Models;

/// <summary>
/// A Python dictionary of a pickle. The other values are: null, bool, long (wider ones as BigInteger), double, string, byte[], object?[] for a tuple, List of object? for a list or
/// a set, <see cref="PickleGlobal"/>, <see cref="PickleRecord"/>, <see cref="TorchStorage"/>, <see cref="TorchTensor"/>. Values may hold each other in circles.
/// </summary>
internal sealed class PickleDictionary
{
    // Made when there is something in it: a pickle may have millions of empty ones.
    private List<(object? Key, object? Value)>? _items;
    private Dictionary<string, object?>? _texts;

    /// <summary>Adds an entry; of equal keys the last counts.</summary>
    public void Add(object? key, object? value)
    {
        (_items ??= []).Add((key, value));
        _texts = null;
    }

    /// <summary>The entries whose keys are texts, in the order in which the keys were first added; other keys there are none that anything here asks for.</summary>
    public IReadOnlyDictionary<string, object?> Texts
    {
        get
        {
            if (_texts is null)
            {
                _texts = new Dictionary<string, object?>(StringComparer.Ordinal);
                foreach (var (key, value) in _items ?? [])
                {
                    if (key is string text)
                        _texts[text] = value;
                }
            }

            return _texts;
        }
    }
}

/// <summary>An object of a class whose code is not run: only what it was made of is kept.</summary>
/// <param name="type">Its class.</param>
internal sealed class PickleRecord(PickleGlobal type)
{
    /// <summary>Its class, or the function that would have made it.</summary>
    public PickleGlobal Type { get; } = type;

    /// <summary>What it would have been given: a dictionary for nearly all classes; null where it was given nothing.</summary>
    public object? State { get; set; }

    /// <summary>Its attributes by name; empty where it has none.</summary>
    public IReadOnlyDictionary<string, object?> Attributes => (State is object[] { Length: 2 } parts ? parts[0] : State) is PickleDictionary attributes
        ? attributes.Texts
        : new Dictionary<string, object?>();
}
