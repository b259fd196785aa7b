using System.Security.Cryptography;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Identity;

namespace Gateway.Tenancy;

/// <summary>
/// Hashing of passwords by ASP.NET's hasher. It is slow on purpose, so few are hashed at a time and not many may wait:
/// a flood of sign-ins must not take the machine from those who send events.
/// </summary>
internal sealed class Passwords : IDisposable
{
    private const int MaxWaiting = 32;
    private const int MadeLength = 24;

    // No 0 O 1 l I: it is read from a terminal.
    private const string Readable = "23456789abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ";

    private static readonly object Anybody = new();

    private readonly PasswordHasher<object> _hasher = new();
    private readonly ConcurrencyLimiter _places = new(new ConcurrencyLimiterOptions
    {
        PermitLimit = Math.Max(1, Environment.ProcessorCount / 2),
        QueueLimit = MaxWaiting,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    });

    // What a password is checked against when there is no such user: it takes as long.
    private readonly string _nobodys;

    public Passwords() => _nobodys = _hasher.HashPassword(Anybody, Make());

    /// <summary>A new random one, of about 139 bits.</summary>
    public static string Make() => RandomNumberGenerator.GetString(Readable, MadeLength);

    /// <summary>Null when too many wait already: 503.</summary>
    public async Task<string?> HashAsync(string password, CancellationToken cancellationToken)
    {
        using var place = await _places.AcquireAsync(1, cancellationToken);
        return place.IsAcquired ? _hasher.HashPassword(Anybody, password) : null;
    }

    /// <summary>Checks a password against a hash; against somebody's when there is none, in the same time.</summary>
    public async Task<PasswordCheck> CheckAsync(string? hash, string password, CancellationToken cancellationToken)
    {
        using var place = await _places.AcquireAsync(1, cancellationToken);
        if (!place.IsAcquired) return PasswordCheck.Busy;

        // An empty hash is none either.
        bool isSomebodys = !string.IsNullOrEmpty(hash);
        var result = _hasher.VerifyHashedPassword(Anybody, isSomebodys ? hash! : _nobodys, password);
        if (!isSomebodys) return PasswordCheck.Wrong;

        return result switch
        {
            PasswordVerificationResult.Success => PasswordCheck.Right,
            PasswordVerificationResult.SuccessRehashNeeded => PasswordCheck.RightButOld,
            _ => PasswordCheck.Wrong,
        };
    }

    public void Dispose() => _places.Dispose();
}

/// <summary>What became of checking a password.</summary>
internal enum PasswordCheck : byte
{
    Wrong,
    Right,

    /// <summary>Right, but its hash should be made anew: of an older kind.</summary>
    RightButOld,

    /// <summary>Too many are being checked: 503.</summary>
    Busy,
}
