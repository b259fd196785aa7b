namespace Gateway.Core.Events;

/// <summary>Reads a date piece by piece, for all the forms that are not the usual one.</summary>
internal ref struct ClientTimeReader
{
    private readonly ReadOnlySpan<byte> _text;
    private int _at;

    public ClientTimeReader(ReadOnlySpan<byte> text) => _text = text;

    private readonly bool IsAtEnd => _at == _text.Length;

    public bool TryReadDate(out long micros)
    {
        micros = 0;
        if (!TryReadDay(out var day, out bool isMail)) return false;
        if (IsAtEnd) return CivilTime.TryToMicros(day, 0, out micros);

        if (!TryTake((byte)'T') && !TryTake((byte)'t') && !TryTake((byte)' ')) return false;
        if (!TryReadTimeOfDay(day, out var time)) return false;

        SkipSpaces();
        if (!TryReadZone(isMail, out int offsetMinutes)) return false;

        return IsAtEnd && CivilTime.TryToMicros(time, offsetMinutes, out micros);
    }

    private bool TryReadDay(out CivilTime day, out bool isMail)
    {
        isMail = false;
        if (TryReadYearFirst(out day)) return true;

        _at = 0;
        if (TryReadYearLast(out day)) return true;

        _at = 0;
        isMail = true;
        return TryReadMailDay(out day);
    }

    /// <summary><c>2026-11-21</c> and <c>2026/11/21</c>.</summary>
    private bool TryReadYearFirst(out CivilTime day)
    {
        day = default;
        if (!TryReadDigits(4, 4, out int year)) return false;

        byte separator = TryTake((byte)'/') ? (byte)'/' : (byte)'-';
        if (separator == '-' && !TryTake(separator)) return false;
        if (!TryReadDigits(1, 2, out int month) || !TryTake(separator)) return false;
        if (!TryReadDigits(1, 2, out int dayOfMonth)) return false;

        day = new CivilTime(year, month, dayOfMonth);
        return true;
    }

    /// <summary><c>11/21/2026</c>: the month first.</summary>
    private bool TryReadYearLast(out CivilTime day)
    {
        day = default;
        if (!TryReadDigits(1, 2, out int month) || !TryTake((byte)'/')) return false;
        if (!TryReadDigits(1, 2, out int dayOfMonth) || !TryTake((byte)'/')) return false;
        if (!TryReadDigits(4, 4, out int year)) return false;

        day = new CivilTime(year, month, dayOfMonth);
        return true;
    }

    /// <summary>RFC 2822's <c>Sat, 21 Nov 2026</c>; the weekday may be missing and is not checked.</summary>
    private bool TryReadMailDay(out CivilTime day)
    {
        day = default;
        int comma = _text.IndexOf((byte)',');
        if (comma == 3) _at = comma + 1;
        SkipSpaces();

        if (!TryReadDigits(1, 2, out int dayOfMonth) || !TryTake((byte)' ')) return false;
        if (!TryReadMonthName(out int month) || !TryTake((byte)' ')) return false;
        if (!TryReadDigits(4, 4, out int year)) return false;

        day = new CivilTime(year, month, dayOfMonth);
        return true;
    }

    private bool TryReadMonthName(out int month)
    {
        var names = "janfebmaraprmayjunjulaugsepoctnovdec"u8;
        month = 0;
        if (_text.Length - _at < 3) return false;

        Span<byte> name = stackalloc byte[3];
        for (int i = 0; i < 3; i++) name[i] = (byte)(_text[_at + i] | 0x20);

        int found = names.IndexOf(name);
        if (found < 0 || found % 3 != 0) return false;

        _at += 3;
        month = (found / 3) + 1;
        return true;
    }

    /// <summary>
    /// <c>20:33</c>, <c>20:33:44</c>, <c>20:33:44.858123</c>; digits beyond microseconds are dropped.
    /// </summary>
    private bool TryReadTimeOfDay(CivilTime day, out CivilTime time)
    {
        time = default;
        if (!TryReadDigits(2, 2, out int hour) || !TryTake((byte)':') || !TryReadDigits(2, 2, out int minute))
            return false;

        int second = 0;
        if (TryTake((byte)':') && !TryReadDigits(2, 2, out second)) return false;

        int micros = 0;
        if ((TryTake((byte)'.') || TryTake((byte)',')) && !TryReadFraction(out micros)) return false;

        time = day with { Hour = hour, Minute = minute, Second = second, Micros = micros };
        return true;
    }

    private bool TryReadFraction(out int micros)
    {
        micros = 0;
        int start = _at;
        int weight = 100_000;
        while (!IsAtEnd && char.IsAsciiDigit((char)_text[_at]))
        {
            micros += (_text[_at++] - '0') * weight;
            weight /= 10;
        }

        return _at > start;
    }

    private bool TryReadZone(bool isMail, out int offsetMinutes)
    {
        offsetMinutes = 0;
        if (IsAtEnd) return true;

        int sign = TryTake((byte)'-') ? -1 : 1;
        if (sign < 0 || TryTake((byte)'+'))
        {
            if (!TryReadDigits(2, 2, out int hours)) return false;
            TryTake((byte)':');
            int minutes = 0;
            if (!IsAtEnd && !TryReadDigits(2, 2, out minutes)) return false;

            offsetMinutes = sign * ((hours * 60) + minutes);
            return hours < 24 && minutes < 60;
        }

        var name = _text[_at..];
        _at = _text.Length;
        return IsUniversal(name) || (isMail && TryReadMailZone(name, out offsetMinutes));
    }

    private static bool IsUniversal(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("Z"u8) || name.SequenceEqual("z"u8) || name.SequenceEqual("UTC"u8)
        || name.SequenceEqual("GMT"u8) || name.SequenceEqual("UT"u8);

    /// <summary>RFC 2822's names: Eastern, Central, Mountain and Pacific, standard or daylight saving.</summary>
    private static bool TryReadMailZone(ReadOnlySpan<byte> name, out int offsetMinutes)
    {
        offsetMinutes = 0;
        if (name.Length != 3 || name[2] != 'T' || name[1] is not ((byte)'S' or (byte)'D')) return false;

        int zone = "ECMP"u8.IndexOf(name[0]);
        offsetMinutes = -60 * (zone + (name[1] == 'S' ? 5 : 4));
        return zone >= 0;
    }

    private bool TryReadDigits(int least, int most, out int value)
    {
        value = 0;
        int count = 0;
        while (count < most && !IsAtEnd && char.IsAsciiDigit((char)_text[_at]))
        {
            value = (value * 10) + (_text[_at++] - '0');
            count++;
        }

        return count >= least;
    }

    private bool TryTake(byte wanted)
    {
        if (IsAtEnd || _text[_at] != wanted) return false;

        _at++;
        return true;
    }

    private void SkipSpaces()
    {
        while (TryTake((byte)' ')) { }
    }
}
