using System.Globalization;
using System.Runtime.InteropServices;
using Gateway.LoadTests;
using Gateway.LoadTests.Compare;
using Gateway.LoadTests.Limits;
using Gateway.LoadTests.Slow;

// dotnet run --project loadtests -c Release -- ARGUMENTS; or `make load`, `make compare`, `make neighbour`.
const string Usage =
    """
    usage: load [COUNT] [PROJECTS] [REQUESTS_PER_SECOND] [SECONDS] [REPORT]    an installation of its own
           fence-cost [ROUNDS] [SECONDS]                         what the fence costs
           compare [ROUNDS] [SECONDS]                            this gateway beside its peers
           neighbour [ROUNDS] [SECONDS]                          what a flood costs others
           slow [CONNECTIONS] [ROUNDS] [SECONDS]                 what slow connections cost the others
           limits [all|pipeline|allocation|memory|growth|recovery] [SECONDS] [ROUNDS]    figures beside their targets
           soak [MINUTES]                                        memory and handles over a long time
           URL PROJECT_TOKEN [REQUESTS_PER_SECOND] [SECONDS] [REPORT]         a gateway that runs already
    """;

// What was started ends on the way out; a second signal ends us at once, and everything with us.
using var stop = new CancellationTokenSource();
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
try
{
    return args switch
    {
        ["load", ..] => await LoadRun.RunAsync(
            new(Number(1, 1_000), Number(2, 1_000), Number(3, 1_000), Number(4, 3)), Report(5), stop.Token),
        ["neighbour", ..] => await Neighbour.RunAsync(Number(1, 5), Number(2, 5), stop.Token),
        ["fence-cost", ..] => await DoneAsync(FenceCost.RunAsync(Number(1, 5), Number(2, 5), stop.Token)),
        ["compare", ..] => await DoneAsync(Comparison.RunAsync(Number(1, 5), Number(2, 5), stop.Token)),
        ["slow", ..] => await SlowRun.RunAsync(Number(1, 10_000), Number(2, 5), Number(3, 20), stop.Token),
        ["slow-client", var url, var token, _] => await HoldAsync(new Uri(url), token),
        ["limits", ..] => await LimitsRun.RunAsync(
            args.ElementAtOrDefault(1) ?? "all", new(Number(2, 30), Number(3, 2)), stop.Token),
        ["soak", ..] => await SoakRun.RunAsync(Number(1, 60), stop.Token),
        [var text, var token, ..] when Uri.TryCreate(text, UriKind.Absolute, out var url) =>
            await RunAtAsync(url, token),
        _ => Fail(Usage),
    };
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return Fail("Interrupted.");
}
catch (Exception error) when (error is InvalidOperationException or HttpRequestException or IOException)
{
    return Fail(error.Message);
}

void Stop(PosixSignalContext context)
{
    context.Cancel = !stop.IsCancellationRequested;
    stop.Cancel();
}

int Number(int at, int otherwise) =>
    args.Length > at ? int.Parse(args[at], CultureInfo.InvariantCulture) : otherwise;

string Report(int at) => args.Length > at ? args[at] : "artifacts/load/report.html";

async Task<int> RunAtAsync(Uri url, string token) => url is { IsLoopback: true, Scheme: "http" }
    ? await LoadRun.RunAtAsync(url, token, new(0, 0, Number(2, 1_000), Number(3, 3)), Report(4), stop.Token)
    : Fail("Load is sent to this machine only, and without TLS.");

async Task<int> HoldAsync(Uri url, string token)
{
    using var slow = new SlowClient(url, token, Number(3, 1));
    await slow.RunAsync(Console.In, Console.Out);
    return 0;
}

static async Task<int> DoneAsync(Task run)
{
    await run;
    return 0;
}

static int Fail(string why)
{
    Console.Error.WriteLine(why);
    return 2;
}
