using System.Globalization;

namespace Gateway.LoadTests.Slow;

/// <summary>Whose time went where during a measurement.</summary>
/// <param name="Gateway">Of the processors, by the gateway.</param>
/// <param name="Posters">By those who post.</param>
/// <param name="Slow">By the slow clients.</param>
/// <param name="Pauses">That the whole gateway stood still for its garbage collector.</param>
internal readonly record struct Usage(TimeSpan Gateway, TimeSpan Posters, TimeSpan Slow, TimeSpan Pauses)
{
    public static Usage operator +(Usage one, Usage other) => new(
        one.Gateway + other.Gateway, one.Posters + other.Posters, one.Slow + other.Slow, one.Pauses + other.Pauses);

    public static Usage operator -(Usage after, Usage before) => new(
        after.Gateway - before.Gateway,
        after.Posters - before.Posters,
        after.Slow - before.Slow,
        after.Pauses - before.Pauses);

    public string PerSecond(TimeSpan during) => string.Create(
        CultureInfo.InvariantCulture,
        $"gateway {Gateway / during:0.00}, those who post {Posters / during:0.00}, the slow {Slow / during:0.00}; "
        + $"the gateway stood still for {Pauses / during:0.0%} of the time");
}
