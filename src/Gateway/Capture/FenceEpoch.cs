using System.Globalization;

namespace Gateway.Capture;

/// <summary>
/// <c>X-Gateway-Epoch</c>: the epoch of the fence that an answer rests on, told to whoever sends that header with any
/// value. A regeneration that returned epoch n is kept when every later answer shows n or more.
/// </summary>
internal static class FenceEpoch
{
    private const string Name = "X-Gateway-Epoch";

    public static void Tell(HttpContext context, long epoch)
    {
        if (context.Request.Headers.ContainsKey(Name))
            context.Response.Headers[Name] = epoch.ToString(CultureInfo.InvariantCulture);
    }
}
