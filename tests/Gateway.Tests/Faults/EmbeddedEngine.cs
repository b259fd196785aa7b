using System.Text.RegularExpressions;
using Gateway.Tests.Running;

namespace Gateway.Tests.Faults;

/// <summary>The process of a gateway's embedded engine.</summary>
internal static partial class EmbeddedEngine
{
    /// <summary>0 while there is none.</summary>
    public static int IdOf(GatewayProcess gateway) => Directory.EnumerateDirectories("/proc")
        .Where(folder => char.IsDigit(folder[^1]) && IsEngine(folder, gateway.Id))
        .Select(folder => int.Parse(Path.GetFileName(folder)))
        .FirstOrDefault();

    /// <summary>Waits until it runs, and is another one than the one that was killed.</summary>
    public static async Task<int> WaitForAsync(GatewayProcess gateway, int killed = 0)
    {
        int engine = 0;
        await Eventually.HoldsAsync(
            () => Task.FromResult((engine = IdOf(gateway)) != 0 && engine != killed),
            TimeSpan.FromSeconds(60), () => $"the engine runs; the gateway said\n{gateway.Output}");
        return engine;
    }

    private static bool IsEngine(string folder, int gateway)
    {
        try
        {
            var parent = Parent().Match(File.ReadAllText(Path.Combine(folder, "status")));
            return parent.Success
                && int.Parse(parent.Groups[1].Value) == gateway
                && File.ReadAllText(Path.Combine(folder, "cmdline")).Contains("Gateway.Engine", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false; // It ended while we looked.
        }
    }

    [GeneratedRegex(@"PPid:\s+(\d+)")]
    private static partial Regex Parent();
}
