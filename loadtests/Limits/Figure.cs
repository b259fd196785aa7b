using System.Globalization;

namespace Gateway.LoadTests.Limits;

/// <summary>Something measured, beside what it should be. To miss that is told, and is no failure.</summary>
internal sealed record Figure(string Name, string Value, string Target, bool IsMet)
{
    /// <param name="name">What was measured.</param>
    /// <param name="value">What came of it.</param>
    /// <param name="most">What it should be at most.</param>
    /// <param name="format">For both, with the unit.</param>
    /// <param name="details">More about the value.</param>
    public static Figure AtMost(string name, double value, double most, string format, string details = "") =>
        new(name, Text(value, format) + details, $"at most {Text(most, format)}", value <= most);

    /// <inheritdoc cref="AtMost"/>
    public static Figure AtLeast(string name, double value, double least, string format, string details = "") =>
        new(name, Text(value, format) + details, $"at least {Text(least, format)}", value >= least);

    public override string ToString() => $"{Name}: {Value} (target {Target}){(IsMet ? "" : " MISSED")}";

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
