using System.Globalization;

namespace Gateway.LoadTests;

/// <summary>What <c>/metrics</c> said, by name and labels as they stand there; or the difference of two such.</summary>
internal sealed class Metrics
{
    private readonly Dictionary<string, double> _values;

    private Metrics(Dictionary<string, double> values) => _values = values;

    /// <summary>By name and labels: <c>some_total{layer="redis"}</c>.</summary>
    public double this[string series] => _values.GetValueOrDefault(series);

    public static Metrics Parse(string text) => new(text.Split('\n')
        .Where(line => line.Length > 0 && line[0] != '#')
        .Select(line => (Line: line, Space: line.LastIndexOf(' ')))
        .ToDictionary(
            item => item.Line[..item.Space],
            item => double.Parse(item.Line.AsSpan(item.Space + 1), CultureInfo.InvariantCulture)));

    public static Metrics operator -(Metrics after, Metrics before) =>
        new(after._values.ToDictionary(pair => pair.Key, pair => pair.Value - before[pair.Key]));

    public static Metrics operator +(Metrics one, Metrics other) =>
        new(one._values.ToDictionary(pair => pair.Key, pair => pair.Value + other[pair.Key]));

    /// <summary>
    /// Of a histogram in seconds. Its buckets hold no more than counts: within one, values are taken to lie evenly.
    /// </summary>
    public TimeSpan Percentile(string histogram, double share)
    {
        string prefix = histogram + "_bucket{le=\"";
        double wanted = share * this[histogram + "_count"];
        (double lower, double below) = (0, 0);
        var buckets = _values.Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal))
            .Select(pair => (Upper: Bound(pair.Key[prefix.Length..^2]), Count: pair.Value))
            .OrderBy(bucket => bucket.Upper);
        foreach (var (upper, count) in buckets)
        {
            if (count >= wanted && count > below)
            {
                // The last one has no end.
                double within = double.IsInfinity(upper) ? 0 : (upper - lower) * (wanted - below) / (count - below);
                return TimeSpan.FromSeconds(lower + within);
            }

            (lower, below) = (upper, count);
        }

        return TimeSpan.Zero;
    }

    private static double Bound(string text) =>
        text == "+Inf" ? double.PositiveInfinity : double.Parse(text, CultureInfo.InvariantCulture);
}
