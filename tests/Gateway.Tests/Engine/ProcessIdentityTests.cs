using System.Diagnostics;
using Gateway.Engine;
using Gateway.Tests.Running;

namespace Gateway.Tests.Engine;

public sealed class ProcessIdentityTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Fact]
    public void A_process_that_runs_is_itself() =>
        Assert.Equal(ProcessIdentity.Of(Environment.ProcessId), ProcessIdentity.Of(Environment.ProcessId));

    [Fact]
    public async Task A_process_that_ended_and_whose_parent_does_not_look_is_no_process()
    {
        var (parent, pid) = await StartWithChildAsync("sleep 0.5");
        using (parent)
        {
            await Eventually.HoldsAsync(
                async () => (await File.ReadAllTextAsync($"/proc/{pid}/stat")).Contains(") Z "),
                Patience,
                () => "the child has ended");

            Assert.Null(ProcessIdentity.Of(pid));
            parent.Kill();
        }
    }

    [Fact]
    public async Task A_killed_process_whose_parent_does_not_look_is_not_waited_for()
    {
        var (parent, pid) = await StartWithChildAsync("sleep 600");
        using (parent)
        {
            var killing = ProcessIdentity.Of(pid)!.KillAsync(Patience, TimeProvider.System, CancellationToken.None);

            Assert.True(await killing.WaitAsync(2 * Patience));
            parent.Kill();
        }
    }

    /// <summary>A process whose parent, a sleep, knows nothing of it and never asks how it ended.</summary>
    private static async Task<(Process Parent, int Pid)> StartWithChildAsync(string command)
    {
        string[] arguments = ["-c", $"{command} > /dev/null & echo $!; exec sleep 600 > /dev/null"];
        var parent = Process.Start(new ProcessStartInfo("sh", arguments) { RedirectStandardOutput = true })!;
        return (parent, int.Parse((await parent.StandardOutput.ReadLineAsync())!));
    }
}
