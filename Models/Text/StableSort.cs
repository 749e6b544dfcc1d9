namespace CudaSeq.Models;

/// <summary>Sorts numbers by small whole keys in linear time (radix sort from the lowest digit): equal keys keep their order.</summary>
internal static class StableSort
{
    private const int DigitBits = 12;
    private const int Digits = 1 << DigitBits;

    /// <summary>Sorts in place.</summary>
    /// <param name="items">What is sorted.</param>
    /// <param name="other">As long as <paramref name="items"/>; its values are lost.</param>
    /// <param name="largest">No key is larger.</param>
    /// <param name="key">The key of an item; asked for twice for each digit.</param>
    public static void ByKey(Span<int> items, Span<int> other, uint largest, Func<int, uint> key)
    {
        var result = items;
        int[] starts = new int[Digits];
        for (int shift = 0; shift == 0 || (shift < 32 && largest >> shift > 0); shift += DigitBits)
        {
            Array.Clear(starts);
            foreach (int item in items)
                starts[(key(item) >> shift) & (Digits - 1)]++;
            int start = 0;
            foreach (ref int count in starts.AsSpan())
                (count, start) = (start, start + count);
            foreach (int item in items)
                other[starts[(key(item) >> shift) & (Digits - 1)]++] = item;
            var swapped = items;
            items = other;
            other = swapped;
        }

        if (items != result)
            items.CopyTo(result);
    }
}
