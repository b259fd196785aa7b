namespace Gateway.Core.Tokens;

/// <summary>What a project's settings say of its capture; held with its token, and ended with it by a change.</summary>
/// <param name="AnonymizesIps">No client's address is kept, also none that the client itself sends.</param>
/// <param name="Origins">
/// Origins whose pages may post, in lower case; <c>https://*.example.com</c> is every host below it. None: all may.
/// </param>
/// <param name="Quota">How much the project may send.</param>
public sealed record CaptureRules(bool AnonymizesIps, IReadOnlyList<string> Origins, ProjectQuota Quota = default)
{
    public static readonly CaptureRules None = new(AnonymizesIps: false, []);

    private const string AnySubdomain = "://*.";

    /// <summary>
    /// Whether a page of this origin may post. What names none is no page, and a program could name any: this protects
    /// a project from foreign pages, not from programs.
    /// </summary>
    public bool Allow(string? origin)
    {
        if (Origins.Count == 0 || string.IsNullOrEmpty(origin)) return true;

        foreach (string allowed in Origins)
        {
            if (Matches(allowed, origin)) return true;
        }

        return false;
    }

    private static bool Matches(ReadOnlySpan<char> allowed, ReadOnlySpan<char> origin)
    {
        int scheme = allowed.IndexOf(AnySubdomain, StringComparison.Ordinal);
        if (scheme < 0) return origin.Equals(allowed, StringComparison.OrdinalIgnoreCase);

        // The scheme, something, and then the rest with its dot.
        var before = allowed[..(scheme + 3)];
        var after = allowed[(scheme + AnySubdomain.Length - 1)..];
        return origin.Length > before.Length + after.Length
            && origin.StartsWith(before, StringComparison.OrdinalIgnoreCase)
            && origin.EndsWith(after, StringComparison.OrdinalIgnoreCase);
    }
}
