using Gateway.Core.Journal;
using Gateway.Core.Tokens;

namespace Gateway.Hosting;

/// <summary>What a capture request needs; there as soon as the journal is recovered.</summary>
internal sealed record CapturePipeline(TokenCheck Tokens, Fence Fence, EventJournal Journal);

/// <summary>How far this process is: swapped by one reference, read by every request.</summary>
internal sealed class GatewayState
{
    private volatile CapturePipeline? _pipeline;
    private volatile bool _draining;

    /// <summary>Null until the journal is recovered: capture answers 503 so long.</summary>
    public CapturePipeline? Pipeline => _pipeline;

    /// <summary>True from SIGTERM on: load balancers should look elsewhere.</summary>
    public bool IsDraining => _draining;

    public void Open(CapturePipeline pipeline) => _pipeline = pipeline;

    /// <summary>The project of a token that is known to be live, without asking anybody; 0: none.</summary>
    public ulong ProjectOf(ReadOnlySpan<byte> token) =>
        _pipeline is { } pipeline && pipeline.Tokens.TryCheck(token, out var lookup) && lookup.Entry is { } entry
            ? entry.ProjectId
            : 0;

    public void Drain() => _draining = true;
}
