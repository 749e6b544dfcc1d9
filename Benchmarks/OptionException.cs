namespace CudaSeq.Benchmarks;

/// <summary>A command line that is not understood.</summary>
internal sealed class OptionException(string message) : Exception(message);

/// <summary>What a verb knows was asked for; the message says it.</summary>
internal sealed class HelpException(string message) : Exception(message);
