using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Gateway.Core.ClickHouse;

/// <summary>
/// Where ClickHouse's HTTP interface is and who we are there. Written as one URL,
/// <c>http://user:password@host:8123/database</c>; special characters of user and password percent-encoded.
/// </summary>
/// <param name="Endpoint">Scheme, host and port only; never holds the password.</param>
/// <param name="User">Whom the server knows us as.</param>
/// <param name="Password">May be empty.</param>
/// <param name="Database">Where the tables are.</param>
public sealed record ClickHouseOptions(Uri Endpoint, string User, string Password, string Database)
{
    public const int HttpPort = 8123;
    public const int HttpsPort = 8443;

    private const string Shape = "It should look like http://user:password@host:8123/database.";

    /// <summary>True when the bytes never leave this machine, so that compressing them only costs.</summary>
    public bool IsLoopback => Endpoint.IsLoopback;

    /// <summary>Reads the URL; what it leaves out is <c>default</c>, no password, port 8123 (https: 8443).</summary>
    /// <exception cref="FormatException">What is wrong, without any of the text: it may hold a password.</exception>
    public static ClickHouseOptions Parse(string url) =>
        TryParse(url, out var options, out string? error) ? options : throw new FormatException(error);

    /// <inheritdoc cref="Parse"/>
    public static bool TryParse(
        string? url, [NotNullWhen(true)] out ClickHouseOptions? options, [NotNullWhen(false)] out string? error)
    {
        options = null;
        error = Check(url, out var uri);
        if (error is not null) return false;

        string[] login = uri!.UserInfo.Split(':', 2);
        string database = Uri.UnescapeDataString(uri.AbsolutePath.Trim('/'));
        options = new ClickHouseOptions(
            new UriBuilder(uri.Scheme, uri.IdnHost, Port(uri, url!)).Uri,
            login[0].Length == 0 ? "default" : Uri.UnescapeDataString(login[0]),
            login.Length == 1 ? "" : Uri.UnescapeDataString(login[1]),
            database.Length == 0 ? "default" : database);
        return true;
    }

    /// <summary>Everything but the password.</summary>
    public override string ToString() => $"{Endpoint.GetLeftPart(UriPartial.Authority)}/{Database} as {User}";

    private static string? Check(string? url, out Uri? uri)
    {
        uri = null;
        if (string.IsNullOrWhiteSpace(url)) return "The ClickHouse URL is empty. " + Shape;

        if (!Uri.TryCreate(url, UriKind.Absolute, out uri))
        {
            return "The ClickHouse URL cannot be read; special characters in its user or password must be "
                + "percent-encoded. " + Shape;
        }

        string? wrong = uri switch
        {
            { Scheme: not ("http" or "https") } => "must begin with http:// or https://",
            { Host.Length: 0 } => "names no host",
            { Query.Length: > 0 } or { Fragment.Length: > 0 } => "must not hold '?' or '#' that is not percent-encoded",
            _ when uri.AbsolutePath.Contains('@') => "holds a '/' that must be percent-encoded, as %2F",
            _ when uri.AbsolutePath.Trim('/').Contains('/') => "must end with one database name",
            _ => null,
        };
        return wrong is null ? null : $"The ClickHouse URL {wrong}. {Shape}";
    }

    /// <summary>A URL's own default port, 80 or 443, counts only when it is written out.</summary>
    private static int Port(Uri uri, string url)
    {
        if (!uri.IsDefaultPort) return uri.Port;

        string authority = url[(url.IndexOf("://", StringComparison.Ordinal) + 3)..].Split('/')[0];
        bool isWritten = authority.EndsWith(
            ':' + uri.Port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        if (isWritten) return uri.Port;
        return uri.Scheme == "https" ? HttpsPort : HttpPort;
    }
}
