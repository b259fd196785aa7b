using System.Text;
using Gateway.Core.Tenancy.Database;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy;

/// <summary>
/// Which tokens of somebody else's making may stand for a project, so that apps in the field need no new build.
/// </summary>
public static class TokenImport
{
    /// <summary>Each is held in the memory of every gateway.</summary>
    public const int MaxLive = 100_000;

    /// <summary>What is wrong with its text, as the end of a sentence; null: nothing.</summary>
    public static string? Mistake(string token)
    {
        if (token.Length is 0 or > TokenFormat.MaxTokenBytes) return "must have 1 to 64 characters.";
        if (token.AsSpan().ContainsAnyExceptInRange('!', '~')) return "must be printable ASCII without spaces.";
        return token.StartsWith(TokenFormat.PersonalPrefix, StringComparison.Ordinal)
            ? "begins with phx_, which is for personal API keys: a project token is public."
            : null;
    }

    /// <summary>Whether it counts as imported: one with our own MAC needs no place in memory.</summary>
    internal static async Task<Outcome<bool>> CheckAsync(ControlWrite change, TokenFormat format, string token)
    {
        if (Mistake(token) is { } mistake) return Refusal.Invalid("api_token", $"The token {mistake}");

        byte[] text = Encoding.ASCII.GetBytes(token);
        bool isOurs = TokenFormat.IsProjectToken(text);
        if (isOurs && !format.HasOurMac(text))
        {
            return Refusal.Invalid(
                "api_token",
                "The token looks like one that a gateway made, but not this one: it would be taken for a typo.");
        }

        // Also one that was revoked long ago: whoever still sends it means the project of that time.
        long known = await change.ScalarAsync<long>(
            "SELECT COUNT(*) FROM project_tokens WHERE token = @Token", new { Token = token });
        if (known > 0) return Refusal.Invalid("api_token", "The token was used before; a token is never used again.");

        long live = await change.ScalarAsync<long>(
            "SELECT COUNT(*) FROM project_tokens WHERE imported = 1 AND revoked_at IS NULL");
        return isOurs || live < MaxLive
            ? !isOurs
            : Refusal.Forbidden($"There are {MaxLive} imported tokens already.", "imported_tokens_limit");
    }
}
