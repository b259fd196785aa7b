using Gateway.Core.Tenancy;
using Gateway.Tenancy;

namespace Gateway.Hosting;

/// <summary>
/// What the person who started the gateway sees: where everything is, and after the first start how to send the first
/// event. It goes to the terminal, not to the log: it is the only place that ever shows a key.
/// </summary>
internal static class Banner
{
#pragma warning disable RS0030 // This is the one text that belongs on the terminal itself.
    private static TextWriter Terminal => Console.Out;

    private static TextWriter Complaints => Console.Error;
#pragma warning restore RS0030

    /// <summary>
    /// What the first start made, at once: the key is kept as a hash only, so it must not be lost when, say, the port
    /// is taken and the start ends here.
    /// </summary>
    public static void PrintFirstStart(BootstrapResult made)
    {
        Terminal.WriteLine(
            $"""
            First start: made an organization with its "{made.ProjectName}".
              project token     {made.ProjectToken ?? "as configured"}  (public: goes into your apps, writes only)
              personal API key  {made.ApiKey ?? "as configured"}  (secret: reads; shown this once)

            """);
        Terminal.Flush();
    }

    /// <summary>How the owner signs in, by the start that gave them a password.</summary>
    public static void PrintFirstPassword(FirstPassword first)
    {
        string password = first.Password is null ? "as configured" : $"{first.Password}  (shown this once)";
        if (!first.IsCertain) password += "; it may be in force: if not, the next start shows another one";
        Terminal.WriteLine(
            $"""
            The owner signs in as
              e-mail            {first.Email}
              password          {password}

            """);
        Terminal.Flush();
    }

    public static void Print(IEnumerable<string> urls, GatewayOptions options, GatewayServer gateway)
    {
        string url = urls.First().TrimEnd('/');
        Terminal.WriteLine(
            $"""
            Gateway {typeof(Banner).Assembly.GetName().Version?.ToString(3)} listening on {string.Join(" and ", urls)}
              events    {gateway.ClickHouse ?? $"ClickHouse's engine, embedded, {Shown(options.Data, "clickhouse")}"}
              accounts  {Accounts(options)}
              tokens    checked {Fence(options)}; revoked at once
              journal   {Shown(options.Data, "journal")}
            """);
        if (gateway.Bootstrapped is { } made) PrintFirstSteps(url, made);
        Terminal.Flush();
    }

    /// <summary>Says what is wrong and gives the exit code.</summary>
    public static int Fail(IEnumerable<string> errors)
    {
        foreach (string error in errors) Complaints.WriteLine($"gateway: {error}");
        return 1;
    }

    private static string Accounts(GatewayOptions options) => options.Postgres is { } postgres
        ? $"PostgreSQL at {postgres}"
        : $"SQLite, {Shown(options.Data, "control.db")}";

    private static string Fence(GatewayOptions options)
    {
        if (options.Postgres is null) return "in this process";
        return options is { Redis: { } redis, FencesByRedis: true }
            ? $"against Redis at {redis}, against PostgreSQL while it is away"
            : "against PostgreSQL";
    }

    /// <summary>A path as the person at this terminal would type it.</summary>
    private static string Shown(string data, string name) =>
        Path.GetRelativePath(Environment.CurrentDirectory, Path.Combine(data, name));

    private static void PrintFirstSteps(string url, BootstrapResult made)
    {
        string token = made.ProjectToken ?? "<project token>";
        string key = made.ApiKey ?? "<personal API key>";
        string sample = $$"""{"api_key":"{{token}}","event":"hello","distinct_id":"me"}""";
        string query = """{"query":{"kind":"EventsQuery","select":["event","distinct_id","timestamp","properties"]}}""";
        Terminal.WriteLine(
            $"""

            Send an event:
              curl {url}/i/v0/e/ -d '{sample}'

            Read it back (within two seconds):
              curl {url}/api/projects/@current/query/ -H 'Authorization: Bearer {key}' -d '{query}'
            """);
    }
}
