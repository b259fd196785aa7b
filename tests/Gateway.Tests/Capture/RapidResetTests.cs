using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;
using Gateway.Tests.Running;

namespace Gateway.Tests.Capture;

/// <summary>
/// HTTP/2 rapid reset, CVE-2023-44487: requests that are cancelled in the same breath, so that no limit on open streams
/// is ever met. HTTP/2 needs TLS here, so the gateway has a certificate of the test's own.
/// </summary>
public sealed class RapidResetTests : IAsyncLifetime, IDisposable
{
    private const int Requests = 20_000;
    private const byte Data = 0, Headers = 1, ResetStream = 3, Settings = 4, GoAway = 7;
    private const byte EndHeaders = 4;
    private const int InternalError = 2, EnhanceYourCalm = 11;

    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-tls-").FullName;
    private GatewayProcess _gateway = null!;
    private int _port;
    private string _thumbprint = "";

    public async Task InitializeAsync()
    {
        string certificate = Path.Combine(_folder, "test.pfx");
        await File.WriteAllBytesAsync(certificate, MakeCertificate(out _thumbprint));
        _gateway = await GatewayProcess.StartAsync(settings:
        [
            ("Kestrel:Endpoints:Plain:Url", "http://127.0.0.1:0"),
            ("Kestrel:Endpoints:Tls:Url", "https://127.0.0.1:0"),
            ("Kestrel:Certificates:Default:Path", certificate),
            ("Kestrel:Certificates:Default:Password", "test"),
        ]);
        _port = new Uri(Regex.Match(_gateway.Output, @"listening on .*(https://\S+)").Groups[1].Value).Port;
    }

    public async Task DisposeAsync() => await _gateway.DisposeAsync();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Whoever_resets_every_request_is_sent_away_and_the_others_are_served()
    {
        using var stop = new CancellationTokenSource();
        var load = new Load();
        var others = load.PostUntilAsync(_gateway.Address, stop.Token);

        int? error = await ResetAsync().WaitAsync(TimeSpan.FromSeconds(60));
        await stop.CancelAsync();
        await others;

        // Who goes on sending may miss the word, but not that the connection has ended. Kestrel has two limits: of
        // streams that it has not done with, and, where the thread that writes gets no processor, of what waits for it.
        bool isAsked = error is null or EnhanceYourCalm || (error == InternalError
            && _gateway.Output.Contains("exceeded the output operations maximum queue size", StringComparison.Ordinal));
        Assert.True(isAsked, $"It ended with {error}; the gateway said\n{_gateway.Output}");
        Assert.NotEqual(0, load.Acked);
        Assert.DoesNotContain(load.Fates, fate => fate.Value != Fate.Acked);
        string metrics = await _gateway.Http.GetStringAsync("/metrics");
        Assert.Contains("gateway_capture_requests_total{outcome=\"failed\"} 0\n", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("fail:", _gateway.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_event_is_taken_over_http2()
    {
        using var http = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = IsOurs },
        });
        using var request = new HttpRequestMessage(HttpMethod.Post, $"https://127.0.0.1:{_port}/e/")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new StringContent($$"""{"api_key":"{{GatewayProcess.ProjectToken}}","event":"e","distinct_id":"d"}"""),
        };
        using var answer = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task A_body_that_comes_too_slowly_over_http2_is_408_and_the_next_request_is_served()
    {
        using var http = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = IsOurs },
        });
        using (var slow = Request(new StalledContent()))
        using (var answer = await http.SendAsync(slow))
        {
            Assert.Equal(HttpStatusCode.RequestTimeout, answer.StatusCode);
            Assert.Contains("body_read_timeout", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        using var good = Request(new StringContent(
            $$"""{"api_key":"{{GatewayProcess.ProjectToken}}","event":"e","distinct_id":"d"}"""));
        using var next = await http.SendAsync(good);
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
        Assert.DoesNotContain("Connection", _gateway.Output, StringComparison.Ordinal);

        HttpRequestMessage Request(HttpContent content) => new(HttpMethod.Post, $"https://127.0.0.1:{_port}/e/")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
    }

    private bool IsOurs(object sender, X509Certificate? shown, X509Chain? chain, SslPolicyErrors errors) =>
        shown?.GetCertHashString() == _thumbprint;

    /// <summary>Returns when the gateway has ended the connection: with which code, if that could be read.</summary>
    private async Task<int?> ResetAsync()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _port);
        await using var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            ApplicationProtocols = [SslApplicationProtocol.Http2],
            RemoteCertificateValidationCallback = IsOurs,
        });

        var reading = ReadUntilGoneAsync(tls);
        try
        {
            await tls.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray());
            await tls.WriteAsync(Frame(Settings, flags: 0, stream: 0, []));
            for (int stream = 1; stream < 2 * Requests && !reading.IsCompleted; stream += 200)
            {
                byte[] burst = [.. Enumerable.Range(0, 100).SelectMany(i => RequestAndReset(stream + (2 * i)))];
                await tls.WriteAsync(burst);
            }
        }
        catch (IOException)
        {
            // It has hung up, which is right.
        }

        return await reading;
    }

    private static async Task<int?> ReadUntilGoneAsync(SslStream tls)
    {
        int? error = null;
        byte[] head = new byte[9];
        try
        {
            while (true)
            {
                await tls.ReadExactlyAsync(head);
                byte[] payload = new byte[(head[0] << 16) | (head[1] << 8) | head[2]];
                await tls.ReadExactlyAsync(payload);
                if (head[3] == GoAway) error = BinaryPrimitives.ReadInt32BigEndian(payload.AsSpan(4));
            }
        }
        catch (Exception gone) when (gone is IOException or EndOfStreamException)
        {
            return error;
        }
    }

    private static byte[] RequestAndReset(int stream)
    {
        // HPACK without a table: POST, https, and the path and the host as they are.
        byte[] path = Encoding.ASCII.GetBytes("/i/v0/e/");
        byte[] head = [0x83, 0x87, 0x04, (byte)path.Length, .. path, 0x01, 1, (byte)'x'];
        return
        [
            .. Frame(Headers, EndHeaders, stream, head),
            .. Frame(Data, flags: 0, stream, "{"u8.ToArray()),
            .. Frame(ResetStream, flags: 0, stream, [0, 0, 0, 8]),
        ];
    }

    private static byte[] Frame(byte type, byte flags, int stream, byte[] payload)
    {
        byte[] frame = [0, 0, (byte)payload.Length, type, flags, 0, 0, 0, 0, .. payload];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        return frame;
    }

    private static byte[] MakeCertificate(out string thumbprint)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        thumbprint = certificate.Thumbprint;
        return certificate.Export(X509ContentType.Pfx, "test");
    }

    /// <summary>One byte, and then nothing for as long as anybody listens.</summary>
    private sealed class StalledContent : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(
            Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync("{"u8.ToArray(), cancellationToken);
            await stream.FlushAsync(cancellationToken);
            await Task.Delay(TimeSpan.FromMinutes(2), cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
