using System.Diagnostics;
using Gateway.Tests.Running;

namespace Gateway.Tests.Sdks;

/// <summary>Runs a script of tests/sdks with the packages that its lock file pins.</summary>
internal static class NodeScript
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <summary>The script's output; a failure holds its errors.</summary>
    public static async Task<string> RunAsync(string script, params string[] arguments)
    {
        string folder = Build.Repository("tests", "sdks");
        Assert.True(
            Directory.Exists(Path.Combine(folder, "node_modules")), "tests/sdks has no node_modules: run npm ci there.");

        var start = new ProcessStartInfo("node", [script, .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(Limit);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }

        Assert.True(process.ExitCode == 0, $"{script} ended with {process.ExitCode}:\n{await output}\n{await errors}");
        return await output;
    }
}
