using System.Buffers;

namespace Gateway.Core.Events;

/// <summary>
/// Bytes that grow in a pooled array. Kept from request to request, so that a usual one rents nothing; what is larger
/// than that is charged to the request before it is rented, and throws <see cref="OverBudgetException"/> when there is
/// no budget for it.
/// </summary>
/// <param name="tryCharge">
/// Takes so many bytes of the request's budget, or gives them back where the number is negative, which always succeeds.
/// </param>
internal sealed class PooledBuffer(Func<long, bool>? tryCharge = null) : IDisposable
{
    /// <summary>Larger arrays go back to the pool between requests.</summary>
    public const int KeptBytes = 64 * 1024;

    private byte[] _bytes = [];
    private long _charged;

    public int Length { get; private set; }

    public Span<byte> Written => _bytes.AsSpan(0, Length);

    public ReadOnlyMemory<byte> WrittenMemory => _bytes.AsMemory(0, Length);

    /// <summary>
    /// Room for at least <paramref name="count"/> more bytes; <see cref="Advance"/> takes what was used.
    /// </summary>
    public Span<byte> Reserve(int count)
    {
        if (_bytes.Length - Length < count) Grow(count);
        return _bytes.AsSpan(Length);
    }

    public void Advance(int count) => Length += count;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        Length += bytes.Length;
    }

    /// <summary>Forgets what was written after <paramref name="length"/>.</summary>
    public void Truncate(int length) => Length = length;

    /// <summary>Empties it, and gives back an array larger than <see cref="KeptBytes"/>.</summary>
    public void Clear()
    {
        Length = 0;
        if (_bytes.Length > KeptBytes) Return();
    }

    public void Dispose()
    {
        Length = 0;
        Return();
    }

    private void Grow(int count)
    {
        long wanted = Math.Max((long)Length + count, Math.Min(2L * _bytes.Length, Array.MaxLength));
        long charge = wanted > KeptBytes ? wanted : 0;
        if (charge > 0 && tryCharge?.Invoke(charge - _charged) == false) throw new OverBudgetException();

        _charged = charge;
        byte[] larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(wanted, Array.MaxLength));
        Written.CopyTo(larger);
        if (_bytes.Length > 0) ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }

    private void Return()
    {
        if (_bytes.Length > 0) ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
        if (_charged > 0) tryCharge?.Invoke(-_charged);
        _charged = 0;
    }
}
