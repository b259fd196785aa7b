using Gateway.Peers.Plain;
using StackExchange.Redis;

// A gateway as one would first write it in ASP.NET, with nothing done to make it slow: ConnectionStrings:Redis knows
// the tokens, and ConnectionStrings:ClickHouse (http://user:password@host:port/database) gets the events.
var builder = WebApplication.CreateBuilder(args);
builder.Logging.ClearProviders();
builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);

var redis = await ConnectionMultiplexer.ConnectAsync(builder.Configuration.GetConnectionString("Redis"));
builder.Services.AddSingleton(redis.GetDatabase());
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddSingleton<RowBuffer>();
if (builder.Configuration.GetConnectionString("ClickHouse") is { } store)
{
    builder.Services.AddSingleton(new EventStore(new Uri(store)));
}

builder.Services.AddHostedService<RowShipper>();

var app = builder.Build();
app.MapPost("/i/v0/e", CaptureEndpoint.CaptureAsync);
await app.RunAsync();
