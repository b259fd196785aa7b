using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using StackExchange.Redis;

namespace Gateway.Core.Redis;

/// <summary>
/// Which Redis: StackExchange.Redis' connection string, such as <c>127.0.0.1:6379,password=…,ssl=true</c>. It shows
/// itself without the password.
/// </summary>
public sealed class RedisOptions
{
    private readonly ConfigurationOptions _parsed;

    private RedisOptions(ConfigurationOptions parsed) => _parsed = parsed;

    /// <summary>False with what is wrong with it, which never repeats the text: it may hold a password.</summary>
    public static bool TryParse(
        string text, [NotNullWhen(true)] out RedisOptions? options, [NotNullWhen(false)] out string? error)
    {
        options = null;
        try
        {
            var parsed = ConfigurationOptions.Parse(text);
            if (parsed.EndPoints.Count == 0)
            {
                error = "names no server; it should be like host:6379,password=…";
                return false;
            }

            options = new RedisOptions(parsed);
            error = null;
            return true;
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or OverflowException)
        {
            error = "is not a connection string of Redis; it should be like host:6379,password=…,ssl=true";
            return false;
        }
    }

    /// <summary>The servers, for people.</summary>
    public override string ToString()
    {
        string servers = string.Join(',', _parsed.EndPoints.Select(Show));
        return _parsed.DefaultDatabase is { } number and not 0
            ? string.Create(CultureInfo.InvariantCulture, $"{servers}/{number}")
            : servers;
    }

    /// <summary>For one multiplexer: each has its own copy.</summary>
    internal ConfigurationOptions ForMultiplexer(TimeSpan connectLimit, TimeSpan callLimit)
    {
        var options = _parsed.Clone();
        options.AbortOnConnectFail = false;
        options.ConnectTimeout = (int)connectLimit.TotalMilliseconds;
        options.SyncTimeout = (int)callLimit.TotalMilliseconds;
        options.ConnectRetry = 1;
        options.ClientName ??= "gateway";
        return options;
    }

    private static string Show(EndPoint endPoint) => endPoint switch
    {
        DnsEndPoint name => string.Create(CultureInfo.InvariantCulture, $"{name.Host}:{name.Port}"),
        _ => endPoint.ToString()!,
    };
}
