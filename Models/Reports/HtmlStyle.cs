using System.Globalization;

namespace CudaSeq.Models;

/// <summary>How pages look: on a phone and on a screen, by day, by night and in print.</summary>
internal static class HtmlStyle
{
    public const string Css =
        """
        :root { color-scheme: light dark; --ink: #1b1b1f; --paper: #fdfdfc; --faint: #dcdce0; --soft: #5b5b66; --c0: #0b57a4; --c1: #b3400b; --c2: #17703a; --c3: #8a2a8c; --c4: #7a5c00; --c5: #33333b; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e9e9ee; --paper: #16161a; --faint: #3a3a42; --soft: #a6a6b2; --c0: #7db8f5; --c1: #f5a57d; --c2: #7fd6a0; --c3: #dd9ce0; --c4: #e0c870; --c5: #d5d5dd; } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; padding: 1rem; max-width: 70rem; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
        h1 { font-size: 1.6rem; line-height: 1.2; margin: .5rem 0 1rem; }
        h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--faint); padding-bottom: .2rem; }
        p { margin: .5rem 0; max-width: 45rem; }
        .small { font-size: .85rem; color: var(--soft); }
        .wide { overflow-x: auto; }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
        th, td { padding: .25rem .75rem .25rem 0; text-align: right; vertical-align: top; border-bottom: 1px solid var(--faint); white-space: nowrap; }
        th:first-child, .facts td { text-align: left; }
        tr > th:first-child { font-weight: 600; }
        .facts td { white-space: normal; }
        code { font: .9em ui-monospace, monospace; }
        .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: 1.25rem; }
        figure { margin: 0; }
        figcaption { font-weight: 600; }
        svg { width: 100%; height: auto; display: block; }
        svg text { font: 11.5px system-ui, sans-serif; fill: var(--soft); }
        .grid { stroke: var(--faint); fill: none; }
        .line { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
        .mark { stroke-width: 1; }
        .s0 { stroke: var(--c0); } .s1 { stroke: var(--c1); stroke-dasharray: 6 3; } .s2 { stroke: var(--c2); stroke-dasharray: 2 2.5; }
        .s3 { stroke: var(--c3); stroke-dasharray: 9 3 2 3; } .s4 { stroke: var(--c4); stroke-dasharray: 4 4; } .s5 { stroke: var(--c5); stroke-dasharray: 1 4; }
        .mark { stroke-dasharray: none; fill: var(--paper); }
        .legend { list-style: none; margin: .25rem 0 0; padding: 0; font-size: .85rem; display: flex; flex-wrap: wrap; gap: .1rem 1rem; }
        .key { width: 30px; display: inline-block; vertical-align: middle; }
        dl { margin: .75rem 0; display: grid; grid-template-columns: minmax(5rem, max-content) 1fr; gap: .15rem .75rem; border-left: 3px solid var(--faint); padding-left: .75rem; }
        dt { color: var(--soft); font-size: .85rem; padding-top: .1rem; }
        dd { margin: 0; }
        mark { background: none; color: inherit; text-decoration: underline 2px; text-underline-offset: 3px; }
        details summary { cursor: pointer; margin: .5rem 0; }
        @media (max-width: 36rem) { dl { grid-template-columns: 1fr; } dt { padding-top: .3rem; } .facts th, .facts td { display: block; text-align: left; border: 0; padding-bottom: 0; white-space: normal; } }
        @media print { .charts { grid-template-columns: 1fr 1fr; } figure, dl { break-inside: avoid; } }

        """;

    /// <summary>What the figures of analyses need besides: shades of one colour, below which letters stay readable by day and by night.</summary>
    public static string Figures => string.Concat(
    [
        """
        .figures { display: flex; flex-wrap: wrap; gap: 1.25rem 2rem; align-items: flex-start; }
        .figures figure { flex: 0 1 21rem; max-width: 100%; min-width: 0; }
        .figures .heat { flex: 0 1 auto; max-width: 100%; }
        .figures .whole { flex: 1 1 100%; max-width: 100%; }
        .heat svg { max-width: none; }
        svg .name { fill: var(--ink); }
        svg .number, .numbers text { fill: var(--ink); }
        .numbers text { text-anchor: middle; }
        path[class^="h"] { fill: var(--c0); }
        .axis { stroke: var(--soft); fill: none; }
        .bar { stroke: var(--c0); stroke-width: 1.2; fill: none; }
        .f0 { fill: var(--c0); } .f2 { stroke: var(--c1); fill: var(--c1); }
        .tokens { line-height: 1.3; max-width: none; }
        .token { display: inline-block; text-align: center; padding: .1rem .3rem; margin: .1rem 0; border-radius: .2rem; border-bottom: 1px solid var(--faint); }
        .token small { display: block; font-size: .7rem; color: var(--ink); font-variant-numeric: tabular-nums; }
        .prose th { text-align: left; } .prose td { text-align: left; white-space: normal; min-width: 8rem; }

        """,
        .. Enumerable.Range(0, Figure.Shades + 1).Select(s => string.Create(CultureInfo.InvariantCulture, $".h{s} {{ fill-opacity: {0.05 * s:0.##}; }} .b{s} {{ background: color-mix(in srgb, var(--c0) {5 * s}%, transparent); }}\n")),
    ]);
}
