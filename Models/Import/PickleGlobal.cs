using System.Collections.Frozen;

namespace CudaSeq.Models;

/// <summary>What a name in a pickle stands for.</summary>
internal enum PickleKind
{
    /// <summary>A class or function that makes something of which only the parts are kept.</summary>
    Record,

    /// <summary>A dictionary that keeps its order.</summary>
    OrderedDictionary,

    /// <summary>torch.Size: a tuple.</summary>
    Size,

    /// <summary>Makes a tensor of a storage.</summary>
    Tensor,

    /// <summary>Makes a parameter of a tensor.</summary>
    Parameter,

    /// <summary>The class of a storage, which is its elements' type.</summary>
    Storage,
}

/// <summary>
/// A class or function that a pickle names. The list is closed: what PyTorch needs for tensors, and what fairseq's arguments and statistics are made of. None of them is run.
/// </summary>
/// <param name="Name">Module and name, with a dot between.</param>
/// <param name="Kind">What it stands for.</param>
/// <param name="Element">The elements' type of a storage.</param>
internal sealed record PickleGlobal(string Name, PickleKind Kind, TorchType Element = TorchType.Float32)
{
    private static readonly FrozenDictionary<string, PickleGlobal> Known = ((PickleGlobal[])
    [
        new("collections.OrderedDict", PickleKind.OrderedDictionary),
        new("torch.Size", PickleKind.Size),
        new("torch._utils._rebuild_tensor", PickleKind.Tensor),
        new("torch._utils._rebuild_tensor_v2", PickleKind.Tensor),
        new("torch._utils._rebuild_parameter", PickleKind.Parameter),
        new("torch._utils._rebuild_parameter_with_state", PickleKind.Parameter),
        .. Enum.GetValues<TorchType>().Select(t => new PickleGlobal($"torch.{t.StorageName()}", PickleKind.Storage, t)),
        .. Records("argparse", "Namespace"),
        .. Records("builtins", "bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "object", "set", "slice", "str", "tuple"),
        .. Records("__builtin__", "bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "long", "object", "set", "str", "tuple", "unicode"),
        .. Records("collections", "Counter", "defaultdict"),
        .. Records("_codecs", "encode"),
        .. Records("typing", "Any", "Dict", "List", "Optional", "Tuple", "Union"),
        .. Records("torch", "bfloat16", "bool", "device", "float16", "float32", "float64", "int16", "int32", "int64", "int8", "uint8"),
        .. Records("numpy", "dtype", "ndarray"),
        .. Records("numpy.core.multiarray", "_reconstruct", "scalar"),
        .. Records("numpy._core.multiarray", "_reconstruct", "scalar"),
        .. Records("omegaconf.base", "ContainerMetadata", "Metadata"),
        .. Records("omegaconf.dictconfig", "DictConfig"),
        .. Records("omegaconf.listconfig", "ListConfig"),
        .. Records("omegaconf.nodes", "AnyNode", "BooleanNode", "BytesNode", "EnumNode", "FloatNode", "IntegerNode", "PathNode", "StringNode"),

        // Statistics of training, which checkpoints of 2018 and 2019 hold.
        .. Records("fairseq.meters", "AverageMeter", "StopwatchMeter", "TimeMeter"),
        .. Records("fairseq.logging.meters", "AverageMeter", "StopwatchMeter", "SumMeter", "TimeMeter"),
    ]).ToFrozenDictionary(g => g.Name, StringComparer.Ordinal);

    /// <summary>The class or function of that name; null for one that is not on the list.</summary>
    /// <param name="module">Its module.</param>
    /// <param name="name">Its name there.</param>
    public static PickleGlobal? Find(string module, string name) => Known.GetValueOrDefault($"{module}.{name}");

    private static IEnumerable<PickleGlobal> Records(string module, params IEnumerable<string> names)
        => names.Select(n => new PickleGlobal($"{module}.{n}", PickleKind.Record));
}
