using System.Runtime.InteropServices;
using System.Text;

namespace Gateway.Core.Ledger;

/// <summary>
/// Requests that capture refused, counted by project and minute where the project is known. A token that is not known
/// may be an old one of a project: those are collected, until the database is asked; see <see cref="HealthRecorder"/>.
/// </summary>
public sealed class Refusals(TimeProvider time)
{
    /// <summary>Different tokens of one minute; those beyond are counted as unknown at once.</summary>
    public const int MaxTokens = 1024;

    /// <summary>What anybody may make up fills half of the room; the rest is for what only we can have made.</summary>
    public const int MaxForeignTokens = MaxTokens / 2;

    /// <summary>Stands for requests of which nobody knows the project.</summary>
    internal const ulong NoProject = 0;

    private const int MaxTokenBytes = 64;
    private const int MaxCounts = 1 << 17;
    private const int MaxMinutes = 8;

    private readonly Lock _lock = new();
    private Dictionary<(MinuteKey Minute, RejectionReason Reason), long> _counts = [];
    private Dictionary<int, Dictionary<string, long>> _tokens = [];

    /// <summary>Refused by what the project's settings say.</summary>
    public void Count(ulong projectId, RejectionReason reason)
    {
        int minute = Now();
        lock (_lock) Add(new MinuteKey(projectId, minute), reason);
    }

    /// <summary>Refused whatever project it was for; of no consequence where the reason is not the token.</summary>
    public void Count(RejectionReason reason)
    {
        if (IsOfToken(reason)) Count(NoProject, reason);
    }

    /// <summary>Refused for a token that opens nothing.</summary>
    /// <param name="token">Its text.</param>
    /// <param name="isOurs">Whether it is of those that we make, checksum included.</param>
    public void CountUnknown(ReadOnlySpan<byte> token, bool isOurs)
    {
        Span<char> text = stackalloc char[MaxTokenBytes];
        bool isText = token.Length <= MaxTokenBytes && Encoding.ASCII.TryGetChars(token, text, out _);
        int minute = Now();
        lock (_lock)
        {
            if (isText && TryCollect(minute, text[..token.Length], isOurs)) return;

            Add(new MinuteKey(NoProject, minute), RejectionReason.UnknownToken);
        }
    }

    /// <summary>What was counted since it was taken last, and the tokens that nobody knew, by minute.</summary>
    internal (Dictionary<(MinuteKey Minute, RejectionReason Reason), long> Counts,
        Dictionary<int, Dictionary<string, long>> Tokens) Take()
    {
        lock (_lock)
        {
            var taken = (_counts, _tokens);
            (_counts, _tokens) = ([], []);
            return taken;
        }
    }

    private static bool IsOfToken(RejectionReason reason) => reason is RejectionReason.MissingToken
        or RejectionReason.ConflictingTokens or RejectionReason.AmbiguousToken or RejectionReason.BadToken
        or RejectionReason.PersonalKeyAsToken or RejectionReason.MistypedToken;

    private bool TryCollect(int minute, ReadOnlySpan<char> token, bool isOurs)
    {
        if (!_tokens.TryGetValue(minute, out var tokens))
        {
            if (_tokens.Count == MaxMinutes) return false;
            _tokens[minute] = tokens = [];
        }

        var byText = tokens.GetAlternateLookup<ReadOnlySpan<char>>();
        if (tokens.Count >= (isOurs ? MaxTokens : MaxForeignTokens) && !byText.ContainsKey(token)) return false;

        CollectionsMarshal.GetValueRefOrAddDefault(byText, token, out _)++;
        return true;
    }

    private void Add(MinuteKey key, RejectionReason reason)
    {
        // Past this nobody has written them down for a long time.
        if (_counts.Count >= MaxCounts && !_counts.ContainsKey((key, reason))) return;

        CollectionsMarshal.GetValueRefOrAddDefault(_counts, (key, reason), out _)++;
    }

    private int Now() => LedgerMinute.Of(time.GetUtcNow().ToUnixMicroseconds());
}
