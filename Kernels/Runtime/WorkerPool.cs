using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace CudaSeq.Kernels;

/// <summary>A loop over chunks of items.</summary>
internal interface IParallelBody
{
    void Invoke(int begin, int end);
}

/// <summary>
/// Persistent worker threads that spin briefly for the next loop before they park. One loop runs at a time; a second caller
/// (or a loop inside a loop) runs its own on its own thread. Nothing is allocated per loop.
/// </summary>
internal sealed unsafe class WorkerPool : IDisposable
{
    // 0.3 to 0.6 ms: longer than the gaps between the kernels of a training step, shorter than anything a user would notice as load.
    private const int SpinIterations = 2000;

    // A look every 150 to 300 nanoseconds.
    private const int SpinsBetweenLooks = 4;
    private const uint Closed = uint.MaxValue;

    private readonly Thread[] _threads;
    private readonly SemaphoreSlim _wake = new(0);
    private readonly Lock _gate = new();

    // The loop under way: its fields are written while the ticket is closed and read only by who has claimed one of its chunks.
    private delegate*<void*, int, int, void> _invoke;
    private void* _body;
    private int _count;
    private int _grain;
    private int _chunks;
    private int _completed;
    private Exception? _failure;

    // High half: number of the loop. Low half: the next chunk, or Closed. A chunk is claimed by compare-and-swap of the whole, so a late worker cannot claim from a later loop.
    private Line _ticket = new() { Value = Closed };
    private int _parked;
    private volatile bool _stopping;

    public WorkerPool(int threads)
    {
        Threads = threads;
        _threads = new Thread[threads - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            _threads[i] = new Thread(Work) { IsBackground = true, Name = $"CudaSeq worker {i + 1}" };
            _threads[i].Start();
        }
    }

    /// <summary>Threads that compute, the caller included.</summary>
    public int Threads { get; }

    public void For<TBody>(int count, int grain, TBody body)
        where TBody : struct, IParallelBody
    {
        if (count <= 0)
            return;
        grain = Math.Max(1, grain);
        if (count <= grain || _threads.Length == 0 || _gate.IsHeldByCurrentThread || !_gate.TryEnter())
        {
            RunInline(count, grain, ref body);
            return;
        }

        try
        {
            Share(&Call<TBody>, Unsafe.AsPointer(ref body), count, grain);
        }
        finally
        {
            _gate.Exit();
        }
    }

    public void Dispose()
    {
        if (_stopping)
            return;
        _stopping = true;
        if (_threads.Length > 0)
            _wake.Release(_threads.Length);
        foreach (var thread in _threads)
            thread.Join();
        _wake.Dispose();
    }

    private static void RunInline<TBody>(int count, int grain, ref TBody body)
        where TBody : struct, IParallelBody
    {
        for (int begin = 0; begin < count;)
        {
            int end = begin + Math.Min(grain, count - begin);
            body.Invoke(begin, end);
            begin = end;
        }
    }

    private static void Call<TBody>(void* body, int begin, int end)
        where TBody : struct, IParallelBody
        => Unsafe.AsRef<TBody>(body).Invoke(begin, end);

    // The body lives on the caller's stack, which stays put until every chunk is done.
    private void Share(delegate*<void*, int, int, void> invoke, void* body, int count, int grain)
    {
        ulong loop = (Volatile.Read(ref _ticket.Value) >> 32) + 1;
        Interlocked.Exchange(ref _ticket.Value, (loop << 32) | Closed);
        _invoke = invoke;
        _body = body;
        _count = count;
        _grain = grain;
        _chunks = (int)(((long)count + grain - 1) / grain);
        _completed = 0;
        _failure = null;
        Interlocked.Exchange(ref _ticket.Value, loop << 32);
        int parked = Volatile.Read(ref _parked);
        if (parked > 0)
            _wake.Release(Math.Min(parked, _chunks - 1));
        TakeChunks(loop);

        var spin = default(SpinWait);
        while (Volatile.Read(ref _completed) != _chunks)
            spin.SpinOnce(sleep1Threshold: -1);
        if (_failure is { } failure)
            ExceptionDispatchInfo.Throw(failure);
    }

    private void TakeChunks(ulong loop)
    {
        int done = 0;
        while (true)
        {
            ulong ticket = Volatile.Read(ref _ticket.Value);
            uint chunk = (uint)ticket;
            if (ticket >> 32 != (loop & uint.MaxValue) || chunk == Closed || chunk >= (uint)_chunks)
                break;
            if (Interlocked.CompareExchange(ref _ticket.Value, ticket + 1, ticket) != ticket)
                continue;
            try
            {
                // After a failure the remaining chunks are only counted.
                if (Volatile.Read(ref _failure) is null)
                {
                    int begin = (int)chunk * _grain;
                    _invoke(_body, begin, begin + Math.Min(_grain, _count - begin));
                }
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref _failure, e, null);
            }

            done++;
        }

        // The loop ends when all its chunks are counted, so this one has not ended yet.
        if (done > 0)
            Interlocked.Add(ref _completed, done);
    }

    private void Work()
    {
        ulong seen = 0;
        while (!_stopping)
        {
            seen = WaitForLoop(seen);
            TakeChunks(seen);
        }
    }

    private ulong WaitForLoop(ulong seen)
    {
        for (int i = 0; i < SpinIterations; i++)
        {
            ulong loop = Volatile.Read(ref _ticket.Value) >> 32;
            if (loop != seen && (uint)Volatile.Read(ref _ticket.Value) != Closed)
                return loop;
            Thread.SpinWait(SpinsBetweenLooks);
        }

        Interlocked.Increment(ref _parked);
        ulong next;
        while ((next = Volatile.Read(ref _ticket.Value) >> 32) == seen && !_stopping)
            _wake.Wait();
        Interlocked.Decrement(ref _parked);
        return next;
    }

    // All threads look at it and take it from one another: nothing else is in its line of the cache.
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct Line
    {
        [FieldOffset(64)]
        public ulong Value;
    }
}
