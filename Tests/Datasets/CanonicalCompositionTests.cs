using System.Globalization;
using System.Text;
using CudaSeq.Models;

namespace CudaSeq.Tests;

public sealed class CanonicalCompositionTests
{
    // What CPython 3.11's unicodedata (Unicode 14.0) says.
    [Theory]
    [InlineData("", true)]
    [InlineData("plain \u00E9\u00DF\u00FF", true)]
    [InlineData("\u1EC7", true)]
    [InlineData("e\u0302\u0323", false)]
    [InlineData("x\u0323\u0302", true)]
    [InlineData("x\u0302\u0323", false)]
    [InlineData("\u00EA\u0323", false)]
    [InlineData("\u0344", false)]
    [InlineData("\uAC01", true)]
    [InlineData("\uAC00\u11A8", false)]
    [InlineData("\uAC01\u11A8", true)]
    [InlineData("\u1100\u1161", false)]
    [InlineData("\u1100 \u1161", true)]
    [InlineData("\u212B", false)]
    [InlineData("\uF900", false)]
    [InlineData("\u0301a", true)]
    [InlineData("\u0323\u09BE\uD4DB\u0075", true)]
    [InlineData("\u05B7\u0302", true)]
    [InlineData("\u0301\u0345", true)]
    [InlineData("\u0020\u0303", true)]
    [InlineData("\u0020\U000110A7", true)]
    [InlineData("\u05BC\u0328\u0302\U000110A7", true)]
    [InlineData("\u304B\U000110A7\u304B\u094D", true)]
    [InlineData("\u0300\u0301\u1161\u3099\u0300", true)]
    [InlineData("\uAC00\uD4DB", true)]
    [InlineData("\u11A8\u09C7\u093C\u0065\u304B", true)]
    [InlineData("\u00FC\u11A8", true)]
    [InlineData("\u1EA1\u09BE\u09BE", true)]
    [InlineData("\u093C\u09C7\u1E6D\u0323\u0301", true)]
    [InlineData("\u0323\u1E6D\u1E6D", true)]
    [InlineData("\U000110A7\u0075\U0001D15E\u00FC", false)]
    [InlineData("\u0300\u1EA1\u0301\u05BC\u0345", false)]
    [InlineData("\uFB1D\uFB1D\U000110A7", false)]
    [InlineData("\u0075\u1E6D\u006F\u05BC\u0308", false)]
    [InlineData("\u03B1\u0323\u05B7\u0303", false)]
    [InlineData("\u094D\u0302\u05BC", false)]
    [InlineData("\u212B\u05B7\u0345", false)]
    [InlineData("\u1EA1\u0328\u1EA1\u0301", false)]
    [InlineData("\u05D0\u212B\u0915\u3042", false)]
    [InlineData("\U00011099\u0300\u0303\U0001D15E", false)]
    [InlineData("\u0327\u0915\u0323\u212B\u03B1", false)]
    [InlineData("\u0300\u05BC", false)]
    [InlineData("\u0915\u093C\U00011099\u212B", false)]
    [InlineData("\u0327\U000110BA\u0303\u212B", false)]
    public void ItIsUnicodes(string text, bool holds) => Assert.Equal(holds, CanonicalComposition.Holds(text));

    [Fact]
    public void WhatComposesMustAndWhatIsComposedMay()
    {
        int pairs = 0;
        foreach (string group in CompositionTables.Composites.Split(' '))
        {
            string[] sides = group.Split(':');
            foreach (string entry in sides[1].Split(','))
            {
                string[] pair = entry.Split('=');
                Assert.False(CanonicalComposition.Holds(Text(pair[0]) + Text(sides[0])), entry);
                Assert.True(CanonicalComposition.Holds(Text(pair[1])), entry);
                pairs++;
            }
        }

        Assert.Equal(941, pairs);

        static string Text(string hex) => new Rune(int.Parse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)).ToString();
    }
}
