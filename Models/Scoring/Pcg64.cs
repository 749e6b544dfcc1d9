namespace CudaSeq.Models;

/// <summary>
/// The generator PCG XSL RR 128/64 (O'Neill, "PCG: a family of simple fast space-efficient statistically good algorithms for random number generation", 2014), seeded
/// and drawn from as <c>numpy.random.default_rng</c> does: the same seed gives the numbers that sacreBLEU resamples with.
/// </summary>
internal sealed class Pcg64
{
    private const int PoolWords = 4;

    private static readonly UInt128 Multiplier = new(0x2360ED051FC65DA4, 0x4385DF649FCCF645);

    private readonly UInt128 _increment;
    private UInt128 _state;
    private uint _half;
    private bool _hasHalf;
    private uint _bits;
    private int _bitsLeft;

    /// <param name="seed">At least 0.</param>
    public Pcg64(long seed)
    {
        uint[] words = SeedWords((ulong)seed, 8);
        _increment = (Number(4) << 1) | 1;
        _state = _increment + Number(0);
        Step();

        UInt128 Number(int at) => new(words[at] | ((ulong)words[at + 1] << 32), words[at + 2] | ((ulong)words[at + 3] << 32));
    }

    /// <summary>A number from 0 to <paramref name="bound"/> - 1 (Lemire, "Fast random integer generation in an interval", 2019).</summary>
    public int Below(int bound)
    {
        uint range = (uint)bound;
        if (range == 1)
            return 0;
        ulong product = (ulong)Next32() * range;
        if ((uint)product < range)
        {
            uint threshold = unchecked(0u - range) % range;
            while ((uint)product < threshold)
                product = (ulong)Next32() * range;
        }

        return (int)(product >> 32);
    }

    /// <summary>One of the 32 bits of a number, the lowest first.</summary>
    public bool NextBit()
    {
        if (_bitsLeft == 0)
            (_bits, _bitsLeft) = (Next32(), 32);
        bool bit = (_bits & 1) != 0;
        _bits >>= 1;
        _bitsLeft--;
        return bit;
    }

    // The lower half of a number first.
    private uint Next32()
    {
        if (_hasHalf)
        {
            _hasHalf = false;
            return _half;
        }

        Step();
        ulong high = (ulong)(_state >> 64), value = ulong.RotateRight(high ^ (ulong)_state, (int)(high >> 58));
        (_half, _hasHalf) = ((uint)(value >> 32), true);
        return (uint)value;
    }

    private void Step() => _state = unchecked((_state * Multiplier) + _increment);

    // numpy.random.SeedSequence: a pool of four words, into which the seed's are hashed, each mixed with each, and then read round and round.
    private static uint[] SeedWords(ulong seed, int count)
    {
        uint constant = 0x43B0D7E5;
        uint[] pool = [Hash((uint)seed), Hash((uint)(seed >> 32)), Hash(0), Hash(0)];
        for (int from = 0; from < PoolWords; from++)
        {
            for (int to = 0; to < PoolWords; to++)
            {
                if (to != from)
                    pool[to] = Mixed(pool[to], Hash(pool[from]));
            }
        }

        constant = 0x8B51F9DD;
        var words = new uint[count];
        for (int i = 0; i < count; i++)
            words[i] = HashWith(pool[i % PoolWords], 0x58F38DED);
        return words;

        uint Hash(uint value) => HashWith(value, 0x931E8875);

        uint HashWith(uint value, uint multiplier) => unchecked(Folded((value ^ constant) * (constant *= multiplier)));

        static uint Mixed(uint x, uint y) => unchecked(Folded((0xCA01F9DD * x) - (0x4973F715 * y)));

        static uint Folded(uint value) => value ^ (value >> 16);
    }
}
