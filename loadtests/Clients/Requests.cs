using System.Globalization;
using System.Text;

namespace Gateway.LoadTests.Clients;

/// <summary>Whole requests, as <see cref="LeanConnection"/> sends them.</summary>
internal static class Requests
{
    private const string Single = "/i/v0/e/";
    private const string Batches = "/batch/";

    public static byte[] SingleEvent(string token) => Post(Single, Events.Single(token));

    /// <param name="json">One event, with its token.</param>
    public static byte[] Event(string json) => Post(Single, Encoding.UTF8.GetBytes(json));

    public static byte[] GzippedBatch(string token, int events) => Batch(Events.GzippedBatch(token, events));

    /// <param name="body">As it is sent.</param>
    public static byte[] Batch(byte[] body) => Post(Batches, body);

    /// <param name="path">Of the API.</param>
    /// <param name="apiKey">Whose request it is.</param>
    /// <param name="json">The body; empty: none.</param>
    public static byte[] Api(string path, string apiKey, string json) =>
        Post(path, Encoding.UTF8.GetBytes(json), $"Authorization: Bearer {apiKey}\r\n");

    private static byte[] Post(string path, byte[] body, string headers = "")
    {
        string head = string.Create(
            CultureInfo.InvariantCulture,
            $"POST {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Type: application/json\r\n"
            + $"Content-Length: {body.Length}\r\n\r\n");
        byte[] request = new byte[head.Length + body.Length];
        Encoding.ASCII.GetBytes(head, request);
        body.CopyTo(request, head.Length);
        return request;
    }
}
