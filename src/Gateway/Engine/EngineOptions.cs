namespace Gateway.Engine;

/// <summary>How the embedded engine is run.</summary>
/// <param name="Folder">Holds all that the engine keeps; no other process may use it.</param>
internal sealed record EngineOptions(string Folder)
{
    /// <summary>The most memory the engine takes, in bytes; null for a quarter of the machine.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>The engine's program; null for the one that was built with the gateway.</summary>
    public string? Program { get; init; }

    /// <summary>libchdb.so; null for the one that `npm ci` put into src/Gateway.Engine.</summary>
    public string? Library { get; init; }

    /// <summary>How long the engine may leave pings unanswered before it is killed.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Opening the data of an engine that was killed takes longer than answering.</summary>
    public TimeSpan StartPatience { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long the engine may take to close its data when it is told to end.</summary>
    public TimeSpan StopPatience { get; init; } = TimeSpan.FromSeconds(15);

    public TimeSpan FirstBackOff { get; init; } = TimeSpan.FromMilliseconds(250);

    public TimeSpan LongestBackOff { get; init; } = TimeSpan.FromSeconds(30);
}
