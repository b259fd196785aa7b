using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Gateway.Tests.Engine;

[Collection(EngineCollection.Name)]
public sealed class ClickHouseClientTests(EngineFixture engine)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task The_client_for_node_works_unmodified()
    {
        string folder = Sdks();
        Assert.True(
            Directory.Exists(Path.Combine(folder, "node_modules/@clickhouse/client")),
            $"@clickhouse/client is missing: run `npm ci` in {folder}.");
        var start = new ProcessStartInfo(
            "node", ["clickhouse-client.mjs", engine.Url.ToString(), engine.User, engine.Password])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var node = Process.Start(start)!;
        var said = node.StandardOutput.ReadToEndAsync();
        var complained = node.StandardError.ReadToEndAsync();

        await node.WaitForExitAsync().WaitAsync(Patience);
        Assert.True(node.ExitCode == 0, $"{await said}\n{await complained}");
    }

    private static string Sdks([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../sdks"));
}
