using System.Net.Http.Headers;
using System.Text;
using Gateway.Core.ClickHouse;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Shipping;

/// <summary>What may befall a request on its way to ClickHouse, or its answer on the way back.</summary>
internal enum Fault
{
    None,
    ErrorBefore,
    ErrorAfter,
    HangBefore,
    HangAfter,
    HangAfterHead,
    DropBefore,
    DropAfter,

    /// <summary>It arrives with a password that is not the server's.</summary>
    WrongPassword,
}

/// <summary>A proxy in front of a ClickHouse that does to each request what its next fault says.</summary>
internal sealed class FaultyProxy : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _http = new();
    private readonly ClickHouseOptions _upstream;
    private volatile TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _held;
    private int _forwarded;

    private FaultyProxy(ClickHouseOptions upstream)
    {
        _upstream = upstream;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(
            kestrel => kestrel.Limits.MaxRequestBodySize = null);
        _app = builder.Build();
        _app.Run(ForwardAsync);
    }

    /// <summary>Asked for each request, be it an insert or a question of ours about the table.</summary>
    public Func<Fault> NextFault { get; set; } = () => Fault.None;

    public int Faults { get; private set; }

    /// <summary>
    /// Which statements are held back, by their text. A held one goes on when it is released, also when the client that
    /// sent it is long gone.
    /// </summary>
    public Func<string, bool> Holds { get; set; } = _ => false;

    /// <summary>How many have been held so far.</summary>
    public int Held => Volatile.Read(ref _held);

    /// <summary>How many that were held have been carried out.</summary>
    public int Forwarded => Volatile.Read(ref _forwarded);

    /// <summary>Lets go of all that are held now.</summary>
    public void Release()
    {
        var released = _released;
        _released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        released.SetResult();
    }

    public ClickHouseOptions Target => _upstream with { Endpoint = new Uri(_app.Urls.Single()) };

    public static async Task<FaultyProxy> StartAsync(ClickHouseOptions upstream)
    {
        var proxy = new FaultyProxy(upstream);
        await proxy._app.StartAsync();
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        Release();
        await _app.DisposeAsync();
        _http.Dispose();
    }

    private async Task ForwardAsync(HttpContext context)
    {
        var fault = NextFault();
        if (fault != Fault.None) Faults++;

        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        if (fault is Fault.ErrorBefore or Fault.HangBefore or Fault.DropBefore)
        {
            await FailAsync(context, fault);
            return;
        }

        string statement = context.Request.Query["query"] + (body.Length < 4096 ? Encoding.UTF8.GetString(body.ToArray()) : "");
        bool isHeld = Holds(statement);
        if (isHeld)
        {
            var released = _released.Task;
            Interlocked.Increment(ref _held);
            await released;
        }

        using var request = Copy(context.Request, body.ToArray());
        if (fault is Fault.WrongPassword) request.Headers.Authorization = WrongPassword;
        using var answer = await _http.SendAsync(request);
        byte[] text = await answer.Content.ReadAsByteArrayAsync();
        if (isHeld) Interlocked.Increment(ref _forwarded);
        if (fault is not (Fault.None or Fault.WrongPassword))
        {
            await FailAsync(context, fault);
            return;
        }

        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers)
        {
            if (name.StartsWith("X-ClickHouse-", StringComparison.OrdinalIgnoreCase))
                context.Response.Headers[name] = values.ToArray();
        }

        await context.Response.Body.WriteAsync(text);
    }

    private AuthenticationHeaderValue WrongPassword => new(
        "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{_upstream.User}:not {_upstream.Password}")));

    private HttpRequestMessage Copy(HttpRequest request, byte[] body)
    {
        var copy = new HttpRequestMessage(
            new HttpMethod(request.Method), new Uri(_upstream.Endpoint, request.Path + request.QueryString))
        {
            Content = new ByteArrayContent(body),
        };
        copy.Headers.TryAddWithoutValidation("Authorization", request.Headers.Authorization.ToString());
        return copy;
    }

    private static async Task FailAsync(HttpContext context, Fault fault)
    {
        if (fault is Fault.HangAfterHead)
        {
            context.Response.ContentLength = 100;
            await context.Response.Body.FlushAsync();
        }

        if (fault is Fault.HangBefore or Fault.HangAfter or Fault.HangAfterHead)
        {
            await Task.Delay(Timeout.Infinite, context.RequestAborted)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (fault is Fault.ErrorBefore or Fault.ErrorAfter) context.Response.StatusCode = 500;
        else context.Abort();
    }
}
