namespace Gateway.LoadTests;

/// <summary>How much is done.</summary>
/// <param name="Count">Tokens that are checked by layer.</param>
/// <param name="Projects">That mixed traffic comes from.</param>
/// <param name="Rate">Requests a second.</param>
/// <param name="Seconds">Of each run.</param>
internal sealed record LoadOptions(int Count, int Projects, int Rate, int Seconds)
{
    public TimeSpan During => TimeSpan.FromSeconds(Seconds);

    public override string ToString() => Count > 0
        ? $"{Count} tokens checked by layer, {Projects} projects, {Rate} requests/s, {Seconds} s each"
        : $"{Rate} requests/s, {Seconds} s each";

    /// <summary>What most scenarios are run at, one after the other.</summary>
    public double[] Rates => [Math.Max(1, Rate / 5.0), Rate, 4.0 * Rate];
}
