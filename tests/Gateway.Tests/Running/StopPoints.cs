namespace Gateway.Tests.Running;

/// <summary>The folder in which a gateway of the tests' own build looks for what is to befall it, and where.</summary>
internal sealed class StopPoints : IDisposable
{
    public const string Stop = "stop";
    public const string Exit = "exit";
    public const string Wait = "wait";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Dictionary<string, string> _armed = [];

    public string Folder { get; } = Directory.CreateTempSubdirectory("gateway-points-").FullName;

    public void Arm(string point, string what)
    {
        string path = Path.Combine(Folder, point);
        File.Delete(path + ".hit");
        File.Delete(path + ".go");
        _armed[point] = what;

        // It is there whole or not at all.
        File.WriteAllText(path + ".new", what);
        File.Move(path + ".new", path, overwrite: true);
    }

    public async Task WaitUntilReachedAsync(string point, int process)
    {
        string hit = Path.Combine(Folder, point) + ".hit";
        await Eventually.HoldsAsync(
            () => Task.FromResult(File.Exists(hit) && IsStopped(_armed[point], process)),
            Patience, () => $"the gateway came to '{point}' and met '{_armed[point]}' there");
    }

    public void Release(string point)
    {
        string path = Path.Combine(Folder, point);
        File.Delete(path);
        if (File.Exists(path + ".hit")) File.WriteAllText(path + ".go", "");
    }

    public void ReleaseAll()
    {
        foreach (string point in _armed.Keys) Release(point);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static bool IsStopped(string what, int process)
    {
        if (what == Wait) return true;

        try
        {
            string stat = File.ReadAllText($"/proc/{process}/stat");
            char state = stat[stat.LastIndexOf(')') + 2];
            return what == Stop ? state == 'T' : state is 'Z' or 'X';
        }
        catch (IOException)
        {
            return what == Exit;
        }
    }
}
