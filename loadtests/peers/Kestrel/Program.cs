using System.Buffers;

// What no gateway on Kestrel can be faster than: each body is read to its end, and nothing is done with it. There is
// no routing, no log and no Server header.
var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.ClearProviders();
builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
var app = builder.Build();
app.Run(async context =>
{
    var body = context.Request.BodyReader;
    bool isRead = false;
    while (!isRead)
    {
        var read = await body.ReadAsync();
        body.AdvanceTo(read.Buffer.End);
        isRead = read.IsCompleted;
    }

    var answer = "{\"status\":\"Ok\"}"u8;
    context.Response.ContentType = "application/json";
    context.Response.ContentLength = answer.Length;
    context.Response.BodyWriter.Write(answer);
});
await app.RunAsync();
