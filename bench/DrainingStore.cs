using System.Globalization;
using System.Net;
using System.Web;

namespace Gateway.Bench;

/// <summary>
/// Stands where ClickHouse does: reads each insert's body to its end and takes the rows for stored; of any range of
/// the journal it says that all is there.
/// </summary>
internal sealed class DrainingStore(int eventsInRecord) : HttpMessageHandler
{
    private readonly byte[] _body = new byte[64 << 20];

    /// <summary>Rows of all inserts, as their blocks' heads say.</summary>
    public long Rows { get; private set; }

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var query = HttpUtility.ParseQueryString(request.RequestUri!.Query);
        using var body = new MemoryStream(_body);
        await request.Content!.CopyToAsync(body, cancellationToken);
        if (query["query"] is null) return Answer(Number(query["param_first"], query["param_last"]));

        using var head = new BinaryReader(new MemoryStream(_body, 0, (int)body.Position));
        int columns = head.Read7BitEncodedInt();
        SampleEvents.Require(columns > 1);
        Rows += head.Read7BitEncodedInt();
        return Answer("");
    }

    private string Number(string? first, string? last)
    {
        // Of the table's version, say: it is there.
        if (first is null || last is null) return "2\n";

        long records = long.Parse(last, CultureInfo.InvariantCulture) - long.Parse(first, CultureInfo.InvariantCulture);
        return ((records + 1) * eventsInRecord).ToString(CultureInfo.InvariantCulture);
    }

    private static HttpResponseMessage Answer(string text) =>
        new(HttpStatusCode.OK) { Content = new StringContent(text) };
}
