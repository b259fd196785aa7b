using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using Gateway.Core.Admission;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Gateway.Capture;

internal enum BodyStatus : byte
{
    Complete,
    TooLarge,
    NoBudget,

    /// <summary>
    /// Nothing came for <see cref="CaptureBody.StallLimit"/>, or less than <see cref="CaptureBody.LeastRate"/> allows.
    /// </summary>
    Stalled,
}

/// <summary>
/// One request's body in a pooled buffer, charged to the budget as it grows. Small buffers are kept for the next
/// request, large ones go back at once.
/// </summary>
internal sealed class CaptureBody(InFlightBudget budget, TokenHints hints)
{
    /// <summary>Over the whole body, once the grace is over.</summary>
    public static readonly MinDataRate LeastRate = new(bytesPerSecond: 1024, gracePeriod: TimeSpan.FromSeconds(5));

    /// <summary>
    /// The least rate is an average: who sent much at once may then stall for hours, holding it all. So no single pause
    /// may be longer than this.
    /// </summary>
    public static readonly TimeSpan StallLimit = TimeSpan.FromSeconds(15);

    private const int KeptBytes = 16 << 10;

    private byte[] _buffer = [];
    private int _length;
    private CancellationTokenSource? _late;
    private long _charged;

    // Whose share it is charged to, and whether that is more than a guess.
    private ulong _payer;
    private bool _isFound;

    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _length);

    /// <summary>Whose it is taken to be; the token in its bytes goes before what was guessed.</summary>
    public ulong Owner { get; private set; }

    /// <summary>Before anything is read.</summary>
    /// <param name="guess">By its connection or its address.</param>
    public void Begin(ulong guess) => (Owner, _payer, _isFound) = (guess, guess, false);

    /// <summary>It names a live project. False when that one has its share already.</summary>
    public bool TryMoveTo(ulong project)
    {
        if (project != _payer && !budget.TryMove(_payer, project, _charged)) return false;

        (Owner, _payer, _isFound) = (project, project, true);
        return true;
    }

    /// <summary>Reads a request's body to its end, or to the limit.</summary>
    /// <param name="context">The request.</param>
    /// <param name="limitBytes">Longer bodies are refused.</param>
    public ValueTask<BodyStatus> ReadAsync(HttpContext context, int limitBytes)
    {
        // Kestrel looks after the rate too, but ends a slow request by an exception through all that waits for it:
        // where slow clients are many, that is most of what they cost.
        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate) rate.MinDataRate = null;
        return ReadAsync(context.Request.BodyReader, context.Request.ContentLength, limitBytes);
    }

    /// <summary>Reads to the end, or to the limit.</summary>
    /// <param name="reader">The request's body; it fails when the client is gone.</param>
    /// <param name="expectedBytes">Content-Length, when the client gave one.</param>
    /// <param name="limitBytes">Longer bodies are refused.</param>
    public async ValueTask<BodyStatus> ReadAsync(PipeReader reader, long? expectedBytes, int limitBytes)
    {
        if (expectedBytes > limitBytes) return BodyStatus.TooLarge;
        if (!budget.HasRoomFor(expectedBytes ?? 0)) return BodyStatus.NoBudget;

        long began = 0;
        while (true)
        {
            // Most bodies are there already, and cost no timer.
            if (!reader.TryRead(out var read))
            {
                if (began == 0) began = Stopwatch.GetTimestamp();
                read = await ReadInTimeAsync(reader, Stopwatch.GetElapsedTime(began));
                if (read is { IsCanceled: true, IsCompleted: false, Buffer.IsEmpty: true })
                {
                    reader.AdvanceTo(read.Buffer.Start);
                    return BodyStatus.Stalled;
                }
            }

            var status = Take(read.Buffer, limitBytes);
            reader.AdvanceTo(read.Buffer.End);
            if (status != BodyStatus.Complete || read.IsCompleted) return status;
        }
    }

    /// <summary>
    /// Charges bytes that somebody else holds for this request until <see cref="Reset"/>. Fewer than none are given
    /// back.
    /// </summary>
    public bool TryCharge(long bytes) => TryCharge(bytes, Bytes);

    public void Reset()
    {
        budget.Release(_payer, _charged);
        Begin(TokenHints.None);
        (_charged, _length) = (0, 0);
        if (_buffer.Length <= KeptBytes) return;

        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    /// <summary>
    /// Ended by CancelPendingRead, not by a token: it leaves the reader fit for Kestrel to end the request with.
    /// </summary>
    private async ValueTask<ReadResult> ReadInTimeAsync(PipeReader reader, TimeSpan elapsed)
    {
        var left = TimeSpan.FromSeconds(_length / LeastRate.BytesPerSecond) - elapsed;
        var grace = LeastRate.GracePeriod - elapsed;
        if (left < grace) left = grace;
        if (left > StallLimit) left = StallLimit;
        if (left < TimeSpan.Zero) left = TimeSpan.Zero;

        _late ??= new CancellationTokenSource();
        try
        {
            using (_late.Token.UnsafeRegister(static body => ((PipeReader)body!).CancelPendingRead(), reader))
            {
                _late.CancelAfter(left);
                return await reader.ReadAsync(CancellationToken.None);
            }
        }
        finally
        {
            // Its timer stands still now; once it has fired, it is of no use again.
            if (!_late.TryReset())
            {
                _late.Dispose();
                _late = null;
            }
        }
    }

    private BodyStatus Take(in ReadOnlySequence<byte> bytes, int limitBytes)
    {
        long needed = _length + bytes.Length;
        if (needed > limitBytes) return BodyStatus.TooLarge;

        // Nothing is charged yet, so there is nothing to move that could be too much.
        if (_charged == 0 && hints.FindAtOnce(bytes.FirstSpan) is not TokenHints.None and var project)
            TryMoveTo(project);
        if (!TryCharge(bytes.Length, _length > 0 ? Bytes : bytes.First)) return BodyStatus.NoBudget;

        if (needed > _buffer.Length) Grow((int)needed);
        bytes.CopyTo(_buffer.AsSpan(_length));
        _length = (int)needed;
        return BodyStatus.Complete;
    }

    private bool TryCharge(long bytes, ReadOnlyMemory<byte> there)
    {
        if (bytes == 0) return true;
        if (bytes < 0) budget.Release(_payer, -bytes);
        else if (!budget.TryCharge(_payer, bytes) && !TryChargeFound(bytes, there)) return false;

        _charged += bytes;
        return true;
    }

    /// <summary>
    /// A share is full that this body may have no part in: its connection was last used for another's, or its address
    /// is a proxy's. So it is looked at more closely, and refused only for the share of a project that it names.
    /// </summary>
    private bool TryChargeFound(long bytes, ReadOnlyMemory<byte> there)
    {
        if (_isFound || !budget.HasRoomFor(bytes)) return false;

        if (hints.Find(default, there) is not TokenHints.None and var project)
            return TryMoveTo(project) && budget.TryCharge(project, bytes);

        budget.TryMove(_payer, TokenHints.None, _charged);
        _payer = TokenHints.None;
        return budget.TryCharge(_payer, bytes);
    }

    // Grown by what came, not by what Content-Length promised: a promise costs the client nothing.
    private void Grow(int needed)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, Math.Min(_buffer.Length * 2, Array.MaxLength)));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
