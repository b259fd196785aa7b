using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Core.Tokens;

/// <summary>
/// The text of the tokens and keys that we make:
/// <code>
/// prefix   4   phc_ = project token (public, writes only), phx_ = personal API key (secret)
/// random  43   base62, 256 bits
/// mac      6   base62: HMAC-SHA256, keyed with the installation's secret, of the 47 characters before it;
///              its first 8 bytes, big-endian, modulo 62^6
/// </code>
/// The MAC tells a typo or garbage from a token that is merely unknown, with no look-up: a flood of random tokens
/// reaches no database and evicts nothing.
/// </summary>
public sealed class TokenFormat
{
    public const int SecretBytes = 32;

    /// <summary>Of what we make; imported tokens may have any length up to <see cref="MaxTokenBytes"/>.</summary>
    public const int Length = PrefixLength + RandomLength + MacLength;

    public const int MaxTokenBytes = 64;
    public const string ProjectPrefix = "phc_";
    public const string PersonalPrefix = "phx_";

    private const int PrefixLength = 4;
    private const int RandomLength = 43;
    private const int MacLength = 6;
    private const ulong MacRange = 62UL * 62 * 62 * 62 * 62 * 62;
    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private static readonly SearchValues<byte> Base62 = SearchValues.Create(Encoding.ASCII.GetBytes(Alphabet));

    private readonly byte[] _secret;

    /// <param name="secret">The installation's, <see cref="SecretBytes"/> random bytes.</param>
    public TokenFormat(ReadOnlySpan<byte> secret)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(secret.Length, SecretBytes);
        _secret = secret.ToArray();
    }

    public string NewProjectToken() => New(ProjectPrefix);

    public string NewPersonalKey() => New(PersonalPrefix);

    /// <summary>Whether it looks like a project token that we made: then its MAC decides.</summary>
    public static bool IsProjectToken(ReadOnlySpan<byte> text) =>
        text.Length == Length && text.StartsWith("phc_"u8) && !text[PrefixLength..].ContainsAnyExcept(Base62);

    /// <summary>Whether it looks like a personal key that we made: then its MAC decides.</summary>
    public static bool IsPersonalKey(ReadOnlySpan<byte> text) =>
        text.Length == Length && text.StartsWith("phx_"u8) && !text[PrefixLength..].ContainsAnyExcept(Base62);

    /// <summary>Whether the last six characters of a text of our shape are the MAC of the rest.</summary>
    public bool HasOurMac(ReadOnlySpan<byte> text)
    {
        if (text.Length != Length) return false;

        Span<byte> mac = stackalloc byte[MacLength];
        WriteMac(text[..^MacLength], mac);
        return CryptographicOperations.FixedTimeEquals(mac, text[^MacLength..]);
    }

    /// <summary>A key as it may be shown: <c>phx_...abcd</c>.</summary>
    public static string Mask(string key) => $"{key[..PrefixLength]}...{key[^4..]}";

    /// <summary>What is kept of a personal key, 64 hexadecimal digits; with 256 random bits it needs no salt.</summary>
    public static string Sha256Of(string key) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    private string New(string prefix)
    {
        // GetString draws each character without bias.
        string random = prefix + RandomNumberGenerator.GetString(Alphabet, RandomLength);

        Span<byte> mac = stackalloc byte[MacLength];
        WriteMac(Encoding.ASCII.GetBytes(random), mac);
        return random + Encoding.ASCII.GetString(mac);
    }

    private void WriteMac(ReadOnlySpan<byte> text, Span<byte> mac)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_secret, text, hash);

        ulong rest = BinaryPrimitives.ReadUInt64BigEndian(hash) % MacRange;
        for (int i = MacLength - 1; i >= 0; i--)
        {
            (rest, ulong digit) = Math.DivRem(rest, 62UL);
            mac[i] = (byte)Alphabet[(int)digit];
        }
    }
}
