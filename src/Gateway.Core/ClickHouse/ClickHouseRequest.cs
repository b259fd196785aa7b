using System.Buffers;
using System.Net.Http.Headers;
using System.Text;

namespace Gateway.Core.ClickHouse;

/// <summary>A statement, its parameters and settings as a request of ClickHouse's HTTP interface.</summary>
internal static class ClickHouseRequest
{
    private static readonly SearchValues<char> Escaped = SearchValues.Create("\\\t\n\r\0\b\f");

    public static HttpRequestMessage Create(
        ClickHouseOptions target, IEnumerable<KeyValuePair<string, string>> arguments, HttpContent content)
    {
        var url = new StringBuilder("/?");
        if (target.Database.Length > 0) Append(url, "database", target.Database);
        foreach (var (name, value) in arguments) Append(url, name, value);

        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(target.Endpoint, url.ToString(0, url.Length - 1)))
        {
            Content = content,
        };
        Authenticate(request, target);
        return request;
    }

    /// <summary>Basic, since header values of ClickHouse's own kind could not hold a password beyond ASCII.</summary>
    public static void Authenticate(HttpRequestMessage request, ClickHouseOptions target) =>
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{target.User}:{target.Password}")));

    /// <summary>A parameter's value is read as a field of a TabSeparated file.</summary>
    public static string EscapeParameter(string value)
    {
        if (!value.AsSpan().ContainsAny(Escaped)) return value;

        return new StringBuilder(value)
            .Replace("\\", "\\\\").Replace("\t", "\\t").Replace("\n", "\\n").Replace("\r", "\\r")
            .Replace("\0", "\\0").Replace("\b", "\\b").Replace("\f", "\\f")
            .ToString();
    }

    private static void Append(StringBuilder url, string name, string value) =>
        url.Append(Uri.EscapeDataString(name)).Append('=').Append(Uri.EscapeDataString(value)).Append('&');
}
