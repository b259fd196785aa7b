using System.Globalization;

namespace Gateway.LoadTests;

/// <summary>
/// Two sides measured in turn, one pair in each round: what a busy machine takes from both is not in their ratio.
/// </summary>
internal sealed class Pairs(IEnumerable<double> its, IEnumerable<double> others)
{
    private readonly double[] _ratios = [.. its.Zip(others, (mine, other) => mine / other).Order()];

    /// <summary>Of the pairs' ratios.</summary>
    public double Ratio => Median(_ratios);

    /// <summary>What <see cref="Ratio"/> is of.</summary>
    public string Range => string.Create(
        CultureInfo.InvariantCulture, $"median of {_ratios.Length} pairs, {_ratios[0]:0.00} to {_ratios[^1]:0.00}");

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Ratio:0.00} ({Range})");

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
