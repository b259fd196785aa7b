namespace Gateway.Core;

/// <summary>
/// Uuids in the one spelling that they are given out in, in either case: 8-4-4-4-12 hexadecimal digits. The runtime's
/// own reader also takes blanks around them, and signs and <c>0x</c> within.
/// </summary>
public static class ExactUuid
{
    private const int Length = 36;

    public static bool TryParse(ReadOnlySpan<char> text, out Guid uuid)
    {
        uuid = default;
        if (text.Length != Length) return false;

        for (int i = 0; i < Length; i++)
        {
            if (i is 8 or 13 or 18 or 23 ? text[i] != '-' : !char.IsAsciiHexDigit(text[i])) return false;
        }

        return Guid.TryParseExact(text, "D", out uuid);
    }

    /// <summary>As databases keep it, in lower case; empty, which no row has, when the text is no uuid.</summary>
    public static string Kept(ReadOnlySpan<char> text) => TryParse(text, out var uuid) ? uuid.ToString() : "";
}
