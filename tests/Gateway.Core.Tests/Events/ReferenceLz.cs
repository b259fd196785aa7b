using System.Text;

namespace Gateway.Core.Tests.Events;

/// <summary>lz-string's code with a dictionary of strings: what the parser's own decoder is compared with.</summary>
internal static class ReferenceLz
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    /// <summary>UTF-8 as Latin-1 text; null when it is no such code.</summary>
    public static string? Decode(string text) => new Decoder(text).Read() is { } decoded
        ? Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(decoded))
        : null;

    /// <summary>What lz-string's compressToBase64 would write.</summary>
    public static string Encode(string text) => new Encoder().Write(text);

    /// <summary>Codes grow by a bit whenever so many entries were made.</summary>
    private struct Width
    {
        private int _untilWider;

        public Width()
        {
        }

        public int Bits { get; private set; } = 2;

        public void Start() => (Bits, _untilWider) = (3, 4);

        public void Count()
        {
            if (--_untilWider == 0) (_untilWider, Bits) = (1 << Bits, Bits + 1);
        }
    }

    private sealed class Decoder
    {
        private readonly List<bool> _bits = [];
        private readonly List<string> _entries = ["", "", ""];
        private readonly StringBuilder _output = new();
        private Width _width = new();
        private string _last = "";
        private int _at;

        public Decoder(string text)
        {
            foreach (char symbol in text.Replace(' ', '+').Replace('-', '+').Replace('_', '/'))
            {
                int value = symbol == '=' ? 0 : Alphabet.IndexOf(symbol, StringComparison.Ordinal);
                if (value < 0) break;
                for (int bit = 5; bit >= 0; bit--) _bits.Add(((value >> bit) & 1) == 1);
            }
        }

        public string? Read()
        {
            if (!TryTake(2, out int code) || code > 1 || !TryAddUnit(code)) return null;
            _last = _entries[3];
            _output.Append(_last);
            _width.Start();
            while (TryTake(_width.Bits, out code) && code != 2)
            {
                if (code < 2)
                {
                    if (!TryAddUnit(code)) return null;
                    code = _entries.Count - 1;
                    _width.Count();
                }

                if (code > _entries.Count) return null;
                Append(code < _entries.Count ? _entries[code] : _last + _last[0]);
            }

            return code == 2 ? _output.ToString() : null;
        }

        private void Append(string entry)
        {
            _output.Append(entry);
            _entries.Add(_last + entry[0]);
            _last = entry;
            _width.Count();
        }

        private bool TryAddUnit(int code)
        {
            if (!TryTake(code == 0 ? 8 : 16, out int unit)) return false;
            _entries.Add(((char)unit).ToString());
            return true;
        }

        private bool TryTake(int count, out int value)
        {
            value = 0;
            if (_at + count > _bits.Count) return false;
            for (int bit = 0; bit < count; bit++) value |= (_bits[_at++] ? 1 : 0) << bit;
            return true;
        }
    }

    private sealed class Encoder
    {
        private readonly List<bool> _bits = [];
        private readonly Dictionary<string, int> _entries = [];
        private Width _width = new();
        private int _next = 3;

        public string Write(string text)
        {
            string last = "";
            foreach (char unit in text)
            {
                if (last.Length > 0 && _entries.ContainsKey(last + unit))
                {
                    last += unit;
                    continue;
                }

                if (last.Length > 0)
                {
                    Emit(last);
                    _entries[last + unit] = _next++;
                }

                last = unit.ToString();
            }

            if (last.Length > 0) Emit(last);
            Add(2, _width.Bits);
            while (_bits.Count % 6 != 0) _bits.Add(false);
            return string.Concat(_bits.Chunk(6).Select(six => Alphabet[six.Aggregate(0, (value, bit) => (2 * value) + (bit ? 1 : 0))]));
        }

        private void Emit(string entry)
        {
            if (_entries.TryGetValue(entry, out int code))
            {
                Add(code, _width.Bits);
                _width.Count();
                return;
            }

            bool isFirst = _next == 3;
            Add(entry[0] < 256 ? 0 : 1, _width.Bits);
            Add(entry[0], entry[0] < 256 ? 8 : 16);
            _entries[entry] = _next++;
            if (isFirst)
            {
                _width.Start();
                return;
            }

            _width.Count();
            _width.Count();
        }

        private void Add(int value, int count)
        {
            for (int bit = 0; bit < count; bit++) _bits.Add(((value >> bit) & 1) == 1);
        }
    }
}
