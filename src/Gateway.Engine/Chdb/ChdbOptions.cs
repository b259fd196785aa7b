namespace Gateway.Engine.Chdb;

/// <summary>Where the engine keeps its data, and how much of the machine it may take.</summary>
internal sealed record ChdbOptions(string Folder, long MemoryBytes)
{
    public int MaxRunningQueries { get; init; } = Math.Max(16, 4 * Environment.ProcessorCount);

    /// <summary>Beside those queries: writing never waits for those who read.</summary>
    public int MaxRunningInserts { get; init; } = 4;

    /// <summary>Of queries, and of inserts.</summary>
    public int MaxWaitingQueries { get; init; } = 256;
}
