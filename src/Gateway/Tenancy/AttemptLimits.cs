using System.Net;
using System.Net.Sockets;

namespace Gateway.Tenancy;

/// <summary>
/// How often somebody may guess, in this process: for each e-mail address and for each client's address, by the minute.
/// Whoever guessed right gets the attempt back, so only wrong guesses count.
/// </summary>
internal sealed class AttemptLimits(TimeProvider time)
{
    public const int PerEmail = 10;
    public const int PerAddress = 30;

    // Two that share a slot share its attempts: a nuisance in a flood, and the memory never grows.
    private const int Slots = 1 << 16;

    private readonly Lock _lock = new();
    private readonly ushort[] _counts = new ushort[Slots];
    private long _minute;

    /// <summary>Seconds until the next attempts are given out.</summary>
    public int RetryAfter => 60 - (int)(time.GetUtcNow().ToUnixTimeSeconds() % 60);

    /// <summary>An attempt from an address, and on an account if one is named; false: too many were wrong.</summary>
    public bool TryTake(HttpContext context, string? email = null)
    {
        lock (_lock)
        {
            StartMinute();
            ref ushort ofAddress = ref _counts[Slot(AddressOf(context))];
            if (ofAddress >= PerAddress) return false;

            if (email is not null)
            {
                ref ushort ofEmail = ref _counts[Slot(email)];
                if (ofEmail >= PerEmail) return false;
                ofEmail++;
            }

            ofAddress++;
            return true;
        }
    }

    /// <summary>It was no wrong guess.</summary>
    public void GiveBack(HttpContext context, string? email = null)
    {
        lock (_lock)
        {
            StartMinute();
            GiveBack(AddressOf(context));
            if (email is not null) GiveBack(email);
        }
    }

    private void GiveBack(string name)
    {
        ref ushort count = ref _counts[Slot(name)];
        if (count > 0) count--;
    }

    private void StartMinute()
    {
        long minute = time.GetUtcNow().ToUnixTimeSeconds() / 60;
        if (minute == _minute) return;

        _minute = minute;
        Array.Clear(_counts);
    }

    /// <summary>The hash of a text differs from process to process: nobody can aim at another's slot.</summary>
    private static int Slot(string name) => name.GetHashCode(StringComparison.Ordinal) & (Slots - 1);

    /// <summary>An IPv6 client has a whole network of addresses to choose from: its first 64 bits count.</summary>
    private static string AddressOf(HttpContext context)
    {
        if (context.Connection.RemoteIpAddress is not { } address) return "";
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address.ToString();

        return new IPAddress([.. address.GetAddressBytes().AsSpan(0, 8), .. new byte[8]]).ToString();
    }
}
