using System.Diagnostics.CodeAnalysis;

namespace Gateway.Core.Tenancy;

/// <summary>
/// E-mail addresses as they are kept and compared: without blanks around them and in lower case. Whether somebody reads
/// the mail only a mail can tell, so little more is asked of them than that they cannot be mistaken for anything else.
/// </summary>
public static class EmailAddress
{
    /// <summary>Characters; what SMTP can carry.</summary>
    public const int MaxLength = 254;

    private const int MaxLocalLength = 64;

    /// <summary>The address as it is kept; false when it is none.</summary>
    public static bool TryNormalize(string text, [NotNullWhen(true)] out string? address)
    {
        address = null;
        string trimmed = text.Trim().ToLowerInvariant();
        int at = trimmed.LastIndexOf('@');
        if (trimmed.Length > MaxLength || at is < 1 or > MaxLocalLength || at == trimmed.Length - 1) return false;
        if (trimmed.IndexOf('@') != at || trimmed.Any(IsNeverPart)) return false;

        address = trimmed;
        return true;
    }

    // Unicode's format characters are there to be overlooked: two addresses would look like one.
    private static bool IsNeverPart(char character) =>
        char.IsControl(character) || char.IsWhiteSpace(character) || char.IsSurrogate(character)
        || char.GetUnicodeCategory(character) == System.Globalization.UnicodeCategory.Format
        || "<>()[]\\,;:\"".Contains(character, StringComparison.Ordinal);
}
