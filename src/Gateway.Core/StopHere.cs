using System.Diagnostics;

namespace Gateway.Core;

/// <summary>
/// Places at which a test may stop the process, or weaken a rule to see its tests fail. Calls are compiled into the
/// tests' own build alone (GATEWAY_TEST_BUILD); in the product there is neither a call nor anybody who listens.
/// </summary>
public static class StopHere
{
    internal delegate void Weakening(string rule, ref bool holds);

    internal static Action<string>? Reached { get; set; }

    internal static Weakening? Weakened { get; set; }

    [Conditional("GATEWAY_TEST_BUILD")]
    public static void At(string point) => Reached?.Invoke(point);

    [Conditional("GATEWAY_TEST_BUILD")]
    public static void Weaken(string rule, ref bool holds) => Weakened?.Invoke(rule, ref holds);
}
