using System.Text;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy.Database;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy;

/// <summary>A project's settings; what is null stays as it is.</summary>
public sealed record ProjectSettings
{
    public const int MaxOrigins = 50;
    public const int MaxOriginLength = 255;

    private const string AnySubdomain = "*.";

    // In the folder of time zones, but for this machine alone, or the same zones over again.
    private static readonly string[] NoTimeZones = ["localtime", "posixrules", "posix", "right", "Factory"];

    /// <summary>An IANA name.</summary>
    public string? TimeZone { get; init; }

    /// <summary>No address of a client is kept.</summary>
    public bool? AnonymizeIps { get; init; }

    /// <summary>
    /// Origins whose pages may send events, such as <c>https://app.example.com</c> or <c>https://*.example.com</c>;
    /// none: all may. A request that names no origin comes from no page, and is not held against it.
    /// </summary>
    public IReadOnlyList<string>? AllowedOrigins { get; init; }

    /// <summary>What members are of whom the project says nothing: none or member.</summary>
    public ProjectLevel? DefaultLevel { get; init; }

    /// <summary>Events that it may send a second at each gateway, at most; 0: any number.</summary>
    public long? EventsPerSecond { get; init; }

    /// <summary>Bytes of text, inflated, that it may send a second at each gateway, at most; 0: any number.</summary>
    public long? BytesPerSecond { get; init; }

    /// <summary>Whether nothing is given.</summary>
    internal bool IsEmpty => this == new ProjectSettings();

    /// <summary>What is wrong with them; null: nothing.</summary>
    public Refusal? Check()
    {
        if (TimeZone is not null && !IsTimeZone(TimeZone))
            return Refusal.Invalid("timezone", "This is not the name of a time zone, such as Europe/Berlin.");
        if (DefaultLevel is ProjectLevel.Admin)
            return Refusal.Invalid("default_access", "This must be none or member.");
        if (EventsPerSecond is < 0 or > ProjectQuota.Most)
            return Refusal.Invalid("events_per_second", $"This must be from 0 to {ProjectQuota.Most}.");
        if (BytesPerSecond is < 0 or > ProjectQuota.Most)
            return Refusal.Invalid("bytes_per_second", $"This must be from 0 to {ProjectQuota.Most}.");
        return CheckOrigins();
    }

    internal async Task WriteAsync(ControlWrite change, long projectId)
    {
        if (IsEmpty) return;

        await change.ExecuteAsync(
            """
            UPDATE projects SET
                time_zone = COALESCE(@TimeZone, time_zone),
                anonymize_ips = COALESCE(@AnonymizeIps, anonymize_ips),
                allowed_origins = COALESCE(@AllowedOrigins, allowed_origins),
                default_level = COALESCE(@DefaultLevel, default_level),
                events_per_second = COALESCE(@EventsPerSecond, events_per_second),
                bytes_per_second = COALESCE(@BytesPerSecond, bytes_per_second)
            WHERE id = @Id
            """,
            new
            {
                TimeZone,
                AnonymizeIps = AnonymizeIps is { } anonymize ? (int?)(anonymize ? 1 : 0) : null,
                AllowedOrigins = AllowedOrigins is { } origins
                    ? string.Join(' ', origins.Select(origin => origin.ToLowerInvariant()).Distinct())
                    : null,
                DefaultLevel = (int?)DefaultLevel,
                EventsPerSecond,
                BytesPerSecond,
                Id = projectId,
            });
    }

    private Refusal? CheckOrigins()
    {
        if (AllowedOrigins is null) return null;
        if (AllowedOrigins.Count > MaxOrigins)
            return Refusal.Invalid("allowed_origins", $"There may be at most {MaxOrigins} origins.");

        if (!AllowedOrigins.All(origin => Ascii.IsValid(origin)))
        {
            return Refusal.Invalid(
                "allowed_origins",
                "A host with other letters than ASCII must be given in its punycode form, as browsers send it: "
                + "https://xn--bcher-kva.example for https://bücher.example.");
        }

        return AllowedOrigins.All(IsOrigin)
            ? null
            : Refusal.Invalid(
                "allowed_origins",
                "Each must be a scheme and a host, such as https://app.example.com or https://*.example.com, of at "
                + $"most {MaxOriginLength} characters.");
    }

    private static bool IsTimeZone(string name) =>
        name.Length <= 64
        && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '/' or '_' or '-' or '+')
        && name.Split('/') is var parts
        && parts.All(part => part.Length > 0)
        && !NoTimeZones.Contains(parts[0], StringComparer.OrdinalIgnoreCase)
        && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone)

        // One that was found before is found in any case of its letters, which ClickHouse does not do.
        && zone.Id == name;

    private static bool IsOrigin(string text)
    {
        if (text.Length > MaxOriginLength || !Uri.TryCreate(Plain(text), UriKind.Absolute, out var uri)) return false;

        // What a browser sends: nothing behind the host but a port that is not the scheme's own.
        string origin = uri.GetLeftPart(UriPartial.Authority);
        return uri.Scheme is "http" or "https"
            && uri.UserInfo.Length == 0
            && string.Equals(origin, Plain(text), StringComparison.OrdinalIgnoreCase);
    }

    private static string Plain(string text)
    {
        int host = text.IndexOf("://", StringComparison.Ordinal) + 3;
        return host >= 3 && text.AsSpan(host).StartsWith(AnySubdomain, StringComparison.Ordinal)
            ? string.Concat(text.AsSpan(0, host), text.AsSpan(host + AnySubdomain.Length))
            : text;
    }
}
