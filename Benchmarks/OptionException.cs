namespace CudaSeq.Benchmarks;

/// <summary>A command line that is not understood.</summary>
internal sealed class OptionException(string message) : Exception(message);
