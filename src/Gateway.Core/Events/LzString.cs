using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;

namespace Gateway.Core.Events;

/// <summary>
/// Decodes lz-string's "compressToBase64", which old browser SDKs used: an LZ78 code over UTF-16 units. Codes are read
/// bit by bit, six bits to a character, and grow by a bit when the dictionary fills up:
/// <code>
/// 0   a new 8-bit unit follows          2   the end
/// 1   a new 16-bit unit follows         3…  an entry of the dictionary
/// </code>
/// Each entry is what was written last plus the unit after it, so it is a stretch of the output itself: the
/// dictionary holds places, and no text.
/// </summary>
internal ref struct LzString
{
    private const int NewByte = 0;
    private const int NewUnit = 1;
    private const int End = 2;
    private const int FirstEntry = 3;
    private const int MostCodeBits = 26;
    private const int FirstUnits = 1024;

    private readonly ReadOnlySpan<byte> _text;
    private readonly int _maxUnits;
    private readonly Func<long, bool>? _tryCharge;
    private int _at;
    private int _symbol;
    private int _symbolBits;
    private char[] _units;
    private int _unitCount;
    private (int Start, int Length)[] _entries;
    private int _entryCount;
    private long _charged;

    private LzString(ReadOnlySpan<byte> text, int maxUnits, Func<long, bool>? tryCharge)
    {
        _text = text;
        _maxUnits = maxUnits;
        _tryCharge = tryCharge;
        _units = ArrayPool<char>.Shared.Rent(FirstUnits);
        _entries = ArrayPool<(int, int)>.Shared.Rent(FirstUnits);
        _entryCount = FirstEntry;
    }

    /// <summary>False when it is no such text, or longer than <paramref name="maxUnits"/> UTF-16 units.</summary>
    /// <exception cref="OverBudgetException">There is no budget for the room that it takes meanwhile.</exception>
    public static bool TryDecode(
        ReadOnlySpan<byte> text, int maxUnits, PooledBuffer output, Func<long, bool>? tryCharge = null)
    {
        var decoder = new LzString(text, maxUnits, tryCharge);
        try
        {
            if (!decoder.TryReadAll()) return false;

            // A lone surrogate becomes U+FFFD here.
            var units = decoder._units.AsSpan(0, decoder._unitCount);
            output.Advance(Encoding.UTF8.GetBytes(units, output.Reserve(Encoding.UTF8.GetMaxByteCount(units.Length))));
            return true;
        }
        finally
        {
            ArrayPool<char>.Shared.Return(decoder._units);
            ArrayPool<(int, int)>.Shared.Return(decoder._entries);
            if (decoder._charged > 0) tryCharge?.Invoke(-decoder._charged);
        }
    }

    private bool TryReadAll()
    {
        int codeBits = 3;
        int untilWider = 4;
        if (!TryReadBits(2, out int code) || code > NewUnit) return false;
        if (!TryReadNewUnit(code, out var last) || !TryWrite(last)) return false;

        // What ends in the middle of a code has no end, whatever the bits that are there look like.
        while (TryReadBits(codeBits, out code))
        {
            if (code == End) return true;

            if (code is NewByte or NewUnit)
            {
                if (!TryReadNewUnit(code, out _)) return false;

                code = _entryCount - 1;
                Widen(ref untilWider, ref codeBits);
            }

            if (codeBits > MostCodeBits || !TryWriteEntry(code, ref last)) return false;

            Widen(ref untilWider, ref codeBits);
        }

        return false;
    }

    /// <summary>Writes an entry, and makes a new one of what was written before it and its first unit.</summary>
    private bool TryWriteEntry(int code, ref (int Start, int Length) last)
    {
        // The entry that is about to be made may be used already: its first unit is written before it is needed.
        if (code > _entryCount) return false;

        (int Start, int Length) longer = (last.Start, last.Length + 1);
        var entry = code < _entryCount ? _entries[code] : longer;
        int start = _unitCount;
        if (!TryWrite(entry)) return false;

        AddEntry(longer);
        last = (start, entry.Length);
        return true;
    }

    private static void Widen(ref int untilWider, ref int codeBits)
    {
        if (--untilWider > 0) return;

        untilWider = 1 << codeBits;
        codeBits++;
    }

    /// <summary>A unit not seen before: kept just behind the output, where writing it will put it.</summary>
    private bool TryReadNewUnit(int code, out (int Start, int Length) entry)
    {
        entry = (_unitCount, 1);
        if (!TryReadBits(code == NewByte ? 8 : 16, out int unit)) return false;

        EnsureUnits(1);
        _units[_unitCount] = (char)unit;
        AddEntry(entry);
        return true;
    }

    private bool TryWrite((int Start, int Length) entry)
    {
        if (entry.Length > _maxUnits - _unitCount) return false;

        EnsureUnits(entry.Length);

        // One by one: an entry may reach into the units that it is writing.
        for (int i = 0; i < entry.Length; i++) _units[_unitCount + i] = _units[entry.Start + i];
        _unitCount += entry.Length;
        return true;
    }

    private void AddEntry((int Start, int Length) entry)
    {
        if (_entryCount == _entries.Length) Grow(ref _entries, 2 * _entryCount);
        _entries[_entryCount++] = entry;
    }

    private void EnsureUnits(int count)
    {
        if (_units.Length - _unitCount < count) Grow(ref _units, Math.Max(2 * _units.Length, _unitCount + count));
    }

    /// <summary>
    /// A code of n bytes may stand for n² units: what they take is charged as any other text of the request is.
    /// </summary>
    private void Grow<T>(ref T[] array, int length)
    {
        long more = (long)(length - array.Length) * Unsafe.SizeOf<T>();
        if (_tryCharge?.Invoke(more) == false) throw new OverBudgetException();

        _charged += more;
        var larger = ArrayPool<T>.Shared.Rent(length);
        array.CopyTo(larger, 0);
        ArrayPool<T>.Shared.Return(array);
        array = larger;
    }

    /// <summary>Lowest bit first; within a character, the highest first.</summary>
    private bool TryReadBits(int count, out int value)
    {
        value = 0;
        for (int i = 0; i < count; i++)
        {
            if (_symbolBits == 0)
            {
                if (_at == _text.Length || (_symbol = SymbolOf(_text[_at++])) < 0) return false;
                _symbolBits = 6;
            }

            _symbolBits--;
            value |= ((_symbol >> _symbolBits) & 1) << i;
        }

        return true;
    }

    private static int SymbolOf(byte character) => character switch
    {
        >= (byte)'A' and <= (byte)'Z' => character - 'A',
        >= (byte)'a' and <= (byte)'z' => character - 'a' + 26,
        >= (byte)'0' and <= (byte)'9' => character - '0' + 52,
        (byte)'+' or (byte)'-' or (byte)' ' => 62,
        (byte)'/' or (byte)'_' => 63,
        (byte)'=' => 0,
        _ => -1,
    };
}
