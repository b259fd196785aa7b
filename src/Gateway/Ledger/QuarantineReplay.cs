using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.Core;
using Gateway.Core.Events;
using Gateway.Core.Journal;
using Gateway.Core.Ledger;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tokens;
using Gateway.Hosting;

namespace Gateway.Ledger;

/// <summary>How sending a row again ended.</summary>
/// <param name="IsDone">It is accepted, durable, and no longer in the quarantine.</param>
/// <param name="IsFinal">When not done: the row is at fault, and would be refused again.</param>
/// <param name="Code">When not done: why, for programs.</param>
/// <param name="Detail">The same for people.</param>
/// <param name="Attr">The field at fault, or null.</param>
internal readonly record struct ReplayOutcome(
    bool IsDone, bool IsFinal = false, string Code = "", string Detail = "", string? Attr = null);

/// <summary>
/// Sends rows of the quarantine on their way again: into the journal, by the project's token and past the fence, like
/// any other event. Only when that is durable does the row leave the quarantine; a process that dies in between leaves
/// it there, and sent once more it is recognised by its identity.
/// </summary>
internal sealed class QuarantineReplay(TokenCheck tokens, CaptureLimits limits, TimeProvider time)
{
    private const int MaxLookups = 32;

    /// <summary>The event that the body has in place of the row's; empty without one.</summary>
    public async Task<(ReadOnlyMemory<byte> Json, IResult? Error)> ReadMendedAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(16 << 10);
        try
        {
            int read;
            while ((read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0)
            {
                body.Write(buffer, 0, read);
                if (body.Length > limits.MaxEventBytes)
                    return (default, ApiError.Validation($"An event has at most {limits.MaxEventBytes} bytes."));
            }

            await SocketThreads.LeaveAsync();
            return (body.ToArray(), null);
        }
        catch (BadHttpRequestException)
        {
            return (default, ApiError.Validation("The body did not arrive whole.", code: "parse_error"));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <param name="books">Where the row is.</param>
    /// <param name="project">Whose it is.</param>
    /// <param name="entry">The row.</param>
    /// <param name="mended">An event's JSON in place of what was sent; empty: as it is.</param>
    /// <param name="cancellationToken">Ends the look-up, not an append.</param>
    public async Task<ReplayOutcome> SendAsync(
        LedgerBooks books,
        ProjectAccess project,
        QuarantineEntry entry,
        ReadOnlyMemory<byte> mended,
        CancellationToken cancellationToken)
    {
        if (project.ApiToken is not { } token) return Later("The project has no token just now.");

        byte[] text = Encoding.ASCII.GetBytes(token);
        for (int lookups = 0; lookups < MaxLookups; lookups++)
        {
            if (!tokens.TryCheck(text, out var lookup)) lookup = await tokens.ResolveAsync(text, cancellationToken);
            if (lookup.Entry is not { } live) return Later("The project's token cannot be checked just now.");
            if (live.ProjectId != entry.Row.ProjectId) return Later("The project's token has just changed.");

            // Its address was erased when the row was first taken, or is to be now.
            var (payload, rejection) = MakePayload(books, entry, mended, token, live.Rules.AnonymizesIps);
            if (rejection is not null)
            {
                return new ReplayOutcome(
                    false, true, RejectionCode.Of(rejection.Reason), rejection.Detail, rejection.Attr);
            }

            var appended = await books.Journal.AppendAsync(
                live, lookup.Version, time.GetUtcNow().ToUnixMicroseconds(), payload);
            if (appended.Outcome == AppendOutcome.Stale) continue;
            if (appended.Outcome != AppendOutcome.Kept) return Later("The event cannot be kept just now.");

            books.Ledger.Quarantine.Delete(entry.Row.ProjectId, entry.Id);
            return new ReplayOutcome(true);
        }

        return Later("The project's token changes too often just now.");
    }

    private (byte[] Payload, Rejection? Rejection) MakePayload(
        LedgerBooks books, QuarantineEntry entry, ReadOnlyMemory<byte> mended, string token, bool anonymizesIps)
    {
        if (mended.IsEmpty && entry.Row.IsEvent)
        {
            byte[] asItIs = EventPayload.OfRow(entry.Row.Ip, entry.Row.Bytes);
            if (anonymizesIps) EventPayload.EraseAddresses(asItIs);
            return (asItIs, null);
        }

        if (!mended.IsEmpty && !IsOneObject(mended)) return ([], OneEvent);

        using var parser = new CaptureParser(limits);
        var raw = mended.IsEmpty ? new RefusedRow(entry.Row.Bytes).Raw : mended.Span;
        byte[] body = [.. Encoding.ASCII.GetBytes($"{{\"api_key\":\"{token}\",\"batch\":["), .. raw, .. "]}"u8];
        var facts = new RequestFacts { ClientIp = entry.Row.Ip };
        if (parser.Parse(body, facts, entry.Row.ReceivedAtMicros) is { } rejection) return ([], rejection);
        if (parser.AcceptedCount != 1 || parser.RefusedCount > 0)
            return ([], parser.Refused is [var refused, ..] ? refused.Rejection : OneEvent);

        if (anonymizesIps) parser.EraseAddresses();
        byte[] payload = parser.Payload.ToArray();
        EventPayload.NameFirstRow(payload, UuidOf(books.Ledger.JournalId, entry));
        return (payload, null);
    }

    private static Rejection OneEvent { get; } =
        new(RejectionReason.BadShape, "The body must be one event, of a kind that is kept.");

    /// <summary>It is put among others, and must not be able to say anything of them.</summary>
    private static bool IsOneObject(ReadOnlyMemory<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json.Span, new JsonReaderOptions { MaxDepth = 128 });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return false;

            reader.Skip();
            return !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>
    /// For an event whose client gave it no uuid: the same for each try, also by another gateway that took it over.
    /// </summary>
    private static Guid UuidOf(string ours, QuarantineEntry entry)
    {
        string journal = entry.JournalId.Length > 0 ? entry.JournalId : ours;
        byte[] hash = SHA256.HashData(Encoding.ASCII.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{journal}/{entry.Row.Sequence}/{entry.Row.Row}")));
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash.AsSpan(0, 16), bigEndian: true);
    }

    private static ReplayOutcome Later(string detail) => new(false, false, "unavailable", detail);
}
