using System.Buffers;
using System.Buffers.Text;

namespace Gateway.Core.Events;

/// <summary>
/// Base64 as SDKs send it: either alphabet, with or without padding, and with the spaces into which a form turned the
/// plus signs.
/// </summary>
internal static class Base64Text
{
    private const int LookedAtBytes = 128;

    private static readonly SearchValues<byte> Alphabet = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_= "u8);

    /// <summary>
    /// JSON objects, JSON arrays and gzip never look like it: their first byte is outside the alphabet.
    /// </summary>
    public static bool LooksLike(ReadOnlySpan<byte> text)
    {
        text = text.Trim("\r\n\t"u8);
        return text.Length > 1
            && text[0] != ' '
            && !text[..Math.Min(text.Length, LookedAtBytes)].ContainsAnyExcept(Alphabet);
    }

    /// <summary>
    /// Decodes into <paramref name="output"/>, after what it holds. White space inside is refused wherever it stands:
    /// the framework would skip it, but would see one only behind the part that <see cref="LooksLike"/> looks at.
    /// </summary>
    public static bool TryDecode(ReadOnlySpan<byte> text, PooledBuffer output)
    {
        text = text.Trim("\r\n\t"u8).TrimEnd((byte)'=');
        if (text.ContainsAny("\r\n\t"u8)) return false;

        var target = output.Reserve(text.Length)[..text.Length];
        text.CopyTo(target);
        target.Replace((byte)'+', (byte)'-');
        target.Replace((byte)' ', (byte)'-');
        target.Replace((byte)'/', (byte)'_');

        if (target.Length % 4 == 1 || !Base64Url.IsValid(target)) return false;

        output.Advance(Base64Url.DecodeFromUtf8InPlace(target));
        return true;
    }
}
