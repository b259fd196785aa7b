using System.Diagnostics;

namespace Gateway.Tests.Faults;

/// <summary>A small disk of its own for a folder. Where mounting is not allowed the test says so and passes.</summary>
internal sealed class Mount : IAsyncDisposable
{
    private readonly string _folder;

    private Mount(string folder) => _folder = folder;

    /// <summary>Null, and why, when it cannot be mounted here.</summary>
    public static async Task<(Mount? Mount, string WhyNot)> TryMakeAsync(string folder, long bytes)
    {
        Directory.CreateDirectory(folder);
        var (code, text) = await RunAsync("mount", "-t", "tmpfs", "-o", $"size={bytes}", "gateway-test", folder);
        return code == 0 ? (new Mount(folder), "") : (null, text.Trim());
    }

    public async ValueTask DisposeAsync()
    {
        // A process that was just killed may hold it for a moment: then it goes when the last file is closed.
        var (code, text) = await RunAsync("umount", _folder);
        if (code != 0) (code, text) = await RunAsync("umount", "--lazy", _folder);
        Assert.True(code == 0, text);
    }

    private static async Task<(int Code, string Text)> RunAsync(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            string text = await process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            return (process.ExitCode, text);
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            return (-1, error.Message);
        }
    }
}
