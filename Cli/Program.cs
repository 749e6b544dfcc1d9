using CudaSeq.Cli;

using var terminal = Terminal.OfProcess();
using var interruption = new Interruption();
return CommandLine.Run(args, terminal, interruption.Token);
