using System.Net;
using System.Net.Sockets;

namespace Gateway.Tenancy;

/// <summary>
/// How often somebody may guess, in this process, by the minute: each client's address, and each account. Few guesses
/// at an account come from one address, and many more from all together, so that whoever guesses wrong on purpose keeps
/// its owner from signing in only where they themselves are. Whoever guessed right gets the attempt back.
/// </summary>
internal sealed class AttemptLimits(TimeProvider time)
{
    public const int PerAddress = 30;
    public const int PerAccountFromAnAddress = 10;
    public const int PerAccount = 100;

    // Two that share a slot share its attempts: a nuisance in a flood, and the memory never grows.
    private const int Slots = 1 << 16;

    private readonly Lock _lock = new();
    private readonly ushort[] _counts = new ushort[Slots];
    private long _minute;

    /// <summary>Seconds until the next attempts are given out.</summary>
    public int RetryAfter => 60 - (int)(time.GetUtcNow().ToUnixTimeSeconds() % 60);

    /// <summary>
    /// An attempt from an address, and on an account if one is named; false: too many were wrong, and this one counts
    /// nowhere.
    /// </summary>
    public bool TryTake(HttpContext context, string? account = null)
    {
        lock (_lock)
        {
            StartMinute();
            foreach (var (name, most) in CountsOf(context, account))
            {
                if (_counts[Slot(name)] >= most) return false;
            }

            foreach (var (name, _) in CountsOf(context, account)) _counts[Slot(name)]++;
            return true;
        }
    }

    /// <summary>It was no wrong guess.</summary>
    public void GiveBack(HttpContext context, string? account = null)
    {
        lock (_lock)
        {
            StartMinute();
            foreach (var (name, _) in CountsOf(context, account))
            {
                ref ushort count = ref _counts[Slot(name)];
                if (count > 0) count--;
            }
        }
    }

    /// <summary>What an attempt counts against, and how many each may have.</summary>
    private static (string Name, int Most)[] CountsOf(HttpContext context, string? account)
    {
        string address = AddressOf(context);
        return account is null
            ? [($"from {address}", PerAddress)]
            :
            [
                ($"from {address}", PerAddress),
                ($"on {account} from {address}", PerAccountFromAnAddress),
                ($"on {account}", PerAccount),
            ];
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
