using CudaSeq.Kernels;

namespace CudaSeq.Tests;

public sealed unsafe class WorkerPoolTests
{
    [Fact]
    public void EveryItemRunsExactlyOnce()
    {
        var random = new Random(1);
        foreach (int threads in (int[])[1, 2, 3, 8])
        {
            using var pool = new WorkerPool(threads);
            Assert.Equal(threads, pool.Threads);
            for (int round = 0; round < 300; round++)
            {
                int count = random.Next(2000), grain = random.Next(-1, 300);
                int[] hits = new int[count + 1];
                fixed (int* p = hits)
                    pool.For(count, grain, new Count(p, grain));
                Assert.All(hits[..count], h => Assert.Equal(1, h));
                Assert.Equal(0, hits[count]);
            }
        }
    }

    [Fact]
    public void ChunksReachTheEndOfTheNumbers()
    {
        using var pool = new WorkerPool(2);
        long sum = 0;
        pool.For(int.MaxValue, int.MaxValue / 2, new Sum(&sum));
        Assert.Equal(int.MaxValue, sum);
        sum = 0;
        pool.For(int.MaxValue, int.MaxValue, new Sum(&sum));
        Assert.Equal(int.MaxValue, sum);
        pool.For(0, 1, new Sum(&sum));
        pool.For(-5, 1, new Sum(&sum));
        Assert.Equal(int.MaxValue, sum);
    }

    [Fact]
    public void MillionsOfTinyLoopsLoseNothing()
    {
        using var pool = new WorkerPool(3);
        long sum = 0;
        for (int i = 0; i < 1_000_000; i++)
            pool.For(3, 1, new Sum(&sum));
        Assert.Equal(3_000_000, sum);
    }

    [Fact]
    public void LoopsAfterAPauseWakeTheParkedWorkers()
    {
        using var pool = new WorkerPool(3);
        int* threads = stackalloc int[64];
        for (int round = 0; round < 20; round++)
        {
            Thread.Sleep(round % 4);
            new Span<int>(threads, 64).Clear();
            pool.For(64, 1, new Threads(threads));
            for (int i = 0; i < 64; i++)
                Assert.NotEqual(0, threads[i]);
        }

        // Chunks of a millisecond: more than one thread must take them.
        Thread.Sleep(50);
        int* slow = stackalloc int[64];
        pool.For(64, 1, new SlowThreads(slow));
        Assert.True(new ReadOnlySpan<int>(slow, 64).ToArray().Distinct().Count() > 1, "one thread did all the work");
    }

    /// <summary>Workers that lose their cores to other processes: the caller goes on when all chunks are done and not before.</summary>
    [Fact]
    public void ACallerWaitsForWorkersThatAreLate()
    {
        using var pool = new WorkerPool(3);
        var random = new Random(5);
        long* counts = stackalloc long[2];
        for (int i = 0; i < 200; i++)
        {
            counts[0] = 0;
            pool.For(6, 1, new Late(Environment.CurrentManagedThreadId, 1 + random.Next(3), counts));
            Assert.Equal(6, Volatile.Read(ref counts[0]));
            for (int tiny = random.Next(3); tiny > 0; tiny--)
            {
                counts[0] = 0;
                pool.For(3, 1, new Sum(counts));
                Assert.Equal(3, Volatile.Read(ref counts[0]));
            }
        }

        Assert.True(counts[1] > 100);
    }

    [Fact]
    public void ALoopInsideALoopRunsInline()
    {
        using var pool = new WorkerPool(4);
        for (int round = 0; round < 500; round++)
        {
            long sum = 0;
            pool.For(16, 1, new Nested(pool, &sum));
            Assert.Equal(16 * 1000, sum);
        }
    }

    [Fact]
    public void SeveralCallersShareThePool()
    {
        using var pool = new WorkerPool(3);
        var failures = 0;
        var callers = Enumerable.Range(0, 6).Select(caller => new Thread(() =>
        {
            for (int round = 0; round < 20_000; round++)
            {
                long sum = 0;
                pool.For(50 + caller, 3, new Sum(&sum));
                if (sum != 50 + caller)
                    Interlocked.Increment(ref failures);
            }
        })).ToArray();
        foreach (var caller in callers)
            caller.Start();
        foreach (var caller in callers)
            Assert.True(caller.Join(TimeSpan.FromMinutes(1)), "a caller hangs");
        Assert.Equal(0, failures);
    }

    [Fact]
    public void AnExceptionReachesTheCallerAndThePoolGoesOn()
    {
        using var pool = new WorkerPool(3);
        for (int round = 0; round < 2000; round++)
        {
            int at = round % 100;
            var error = Assert.Throws<InvalidOperationException>(() => pool.For(100, 1, new Fails(at)));
            Assert.Equal($"chunk {at}", error.Message);
            long sum = 0;
            pool.For(100, 1, new Sum(&sum));
            Assert.Equal(100, sum);
        }
    }

    [Fact]
    public void ExceptionsInEveryChunkReachTheCallerAsOne()
    {
        using var pool = new WorkerPool(4);
        for (int round = 0; round < 500; round++)
            Assert.StartsWith("chunk ", Assert.Throws<InvalidOperationException>(() => pool.For(64, 1, new Fails(-1))).Message);
    }

    [Fact]
    public void AnExceptionInANestedLoopReachesTheOuterCaller()
    {
        using var pool = new WorkerPool(3);
        for (int round = 0; round < 200; round++)
            Assert.Throws<InvalidOperationException>(() => pool.For(8, 1, new NestedFailure(pool)));
    }

    [Fact]
    public void PoolsComeAndGo()
    {
        for (int i = 0; i < 200; i++)
        {
            var pool = new WorkerPool(1 + (i % 5));
            long sum = 0;
            if (i % 3 != 0)
                pool.For(100, 1, new Sum(&sum));
            Assert.Equal(i % 3 != 0 ? 100 : 0, sum);
            pool.Dispose();
            pool.Dispose();
        }
    }

    [Fact]
    public void NothingIsAllocatedForALoop()
    {
        using var pool = new WorkerPool(2);
        long sum = 0;
        for (int i = 0; i < 2000; i++)
            pool.For(8, 1, new Sum(&sum));
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 2000; i++)
            pool.For(8, 1, new Sum(&sum));
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private readonly struct Count(int* hits, int grain) : IParallelBody
    {
        private readonly int* _hits = hits;
        private readonly int _grain = Math.Max(1, grain);

        public void Invoke(int begin, int end)
        {
            Assert.True(begin < end && end - begin <= _grain && begin % _grain == 0, $"chunk {begin} .. {end} with a grain of {_grain}");
            for (int i = begin; i < end; i++)
                Interlocked.Increment(ref _hits[i]);
        }
    }

    private readonly struct Sum(long* sum) : IParallelBody
    {
        private readonly long* _sum = sum;

        public void Invoke(int begin, int end) => Interlocked.Add(ref *_sum, end - begin);
    }

    private readonly struct Threads(int* threads) : IParallelBody
    {
        private readonly int* _threads = threads;

        public void Invoke(int begin, int end) => _threads[begin] = Environment.CurrentManagedThreadId;
    }

    private readonly struct SlowThreads(int* threads) : IParallelBody
    {
        private readonly int* _threads = threads;

        public void Invoke(int begin, int end)
        {
            Thread.Sleep(1);
            _threads[begin] = Environment.CurrentManagedThreadId;
        }
    }

    private readonly struct Nested(WorkerPool pool, long* sum) : IParallelBody
    {
        private readonly WorkerPool _pool = pool;
        private readonly long* _sum = sum;

        public void Invoke(int begin, int end) => _pool.For(1000, 7, new Sum(_sum));
    }

    private readonly struct Fails(int at) : IParallelBody
    {
        private readonly int _at = at;

        public void Invoke(int begin, int end)
        {
            if (_at < 0 || (begin <= _at && _at < end))
                throw new InvalidOperationException($"chunk {begin}");
        }
    }

    // Chunks that the caller does not run take some milliseconds, and are counted a second time.
    private readonly struct Late(int caller, int milliseconds, long* counts) : IParallelBody
    {
        private readonly int _caller = caller;
        private readonly int _milliseconds = milliseconds;
        private readonly long* _counts = counts;

        public void Invoke(int begin, int end)
        {
            if (Environment.CurrentManagedThreadId == _caller)
            {
                Thread.Sleep(1);
            }
            else
            {
                Thread.Sleep(_milliseconds);
                Interlocked.Increment(ref _counts[1]);
            }

            Interlocked.Add(ref _counts[0], end - begin);
        }
    }

    private readonly struct NestedFailure(WorkerPool pool) : IParallelBody
    {
        private readonly WorkerPool _pool = pool;

        public void Invoke(int begin, int end) => _pool.For(10, 1, new Fails(5));
    }
}
