namespace CudaSeq.Cli;

/// <summary>The command line asks for something that cannot be meant; the exit code is 2.</summary>
internal sealed class UsageException(string message) : Exception(message);
