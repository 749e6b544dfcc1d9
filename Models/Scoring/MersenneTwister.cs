namespace CudaSeq.Models;

/// <summary>
/// The generator MT19937 (Matsumoto and Nishimura, "Mersenne Twister: a 623-dimensionally equidistributed uniform pseudo-random number generator", ACM TOMACS 1998),
/// seeded and drawn from as Python's <c>random.seed</c> and <c>random.randint</c> do.
/// </summary>
internal sealed class MersenneTwister
{
    private const int Words = 624, Middle = 397;

    private readonly uint[] _state = new uint[Words];
    private int _next = Words;

    /// <param name="seed">At least 0, below 2^32.</param>
    public MersenneTwister(uint seed)
    {
        // The authors' initialisation by an array, which here has one word.
        _state[0] = 19650218;
        for (int i = 1; i < Words; i++)
            _state[i] = unchecked((1812433253 * Folded(i - 1)) + (uint)i);
        int at = 1;
        for (int k = 0; k < Words; k++)
            Mix(1664525, seed);
        for (int k = 1; k < Words; k++)
            Mix(1566083941, unchecked(0u - (uint)at));
        _state[0] = 0x80000000;

        void Mix(uint multiplier, uint added)
        {
            _state[at] = unchecked((_state[at] ^ (Folded(at - 1) * multiplier)) + added);
            if (++at < Words)
                return;
            _state[0] = _state[Words - 1];
            at = 1;
        }

        uint Folded(int i) => _state[i] ^ (_state[i] >> 30);
    }

    /// <summary>A number from 0 to <paramref name="bound"/> - 1: as many bits as the bound has, drawn until they are below it.</summary>
    public int Below(int bound)
    {
        int bits = 32 - int.LeadingZeroCount(bound);
        uint number;
        do
            number = Next() >> (32 - bits);
        while (number >= (uint)bound);
        return (int)number;
    }

    private uint Next()
    {
        if (_next == Words)
        {
            for (int i = 0; i < Words; i++)
            {
                uint pair = (_state[i] & 0x80000000) | (_state[(i + 1) % Words] & 0x7FFFFFFF);
                _state[i] = _state[(i + Middle) % Words] ^ (pair >> 1) ^ ((pair & 1) == 0 ? 0 : 0x9908B0DF);
            }

            _next = 0;
        }

        uint value = _state[_next++];
        value ^= value >> 11;
        value ^= (value << 7) & 0x9D2C5680;
        value ^= (value << 15) & 0xEFC60000;
        return value ^ (value >> 18);
    }
}
