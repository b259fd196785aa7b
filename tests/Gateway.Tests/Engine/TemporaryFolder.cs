namespace Gateway.Tests.Engine;

/// <summary>A folder of the test's own, to be removed with all that is in it.</summary>
internal sealed class TemporaryFolder
{
    public string Path { get; } = Directory.CreateTempSubdirectory("gateway-engine-").FullName;

    public void Remove() => Directory.Delete(Path, recursive: true);
}
