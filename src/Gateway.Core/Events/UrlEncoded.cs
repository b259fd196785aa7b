using System.Buffers.Text;

namespace Gateway.Core.Events;

/// <summary>Query strings and forms, read in place. Names are compared as written: no SDK encodes them.</summary>
public static class UrlEncoded
{
    /// <summary>The raw value of the first parameter of this name; empty when it is not there.</summary>
    public static ReadOnlySpan<char> Find(ReadOnlySpan<char> query, ReadOnlySpan<char> name)
    {
        if (query.StartsWith('?')) query = query[1..];

        foreach (var range in query.Split('&'))
        {
            var pair = query[range];
            if (pair.StartsWith(name) && pair.Length > name.Length && pair[name.Length] == '=')
                return pair[(name.Length + 1)..];
        }

        return default;
    }

    internal static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> form, ReadOnlySpan<byte> name)
    {
        foreach (var range in form.Split((byte)'&'))
        {
            var pair = form[range];
            if (pair.StartsWith(name) && pair.Length > name.Length && pair[name.Length] == '=')
                return pair[(name.Length + 1)..];
        }

        return default;
    }

    /// <summary>
    /// Turns <c>%41</c> into its byte and <c>+</c> into a space, and returns the new length. A percent sign that starts
    /// no escape stays as it is.
    /// </summary>
    internal static int DecodeInPlace(Span<byte> text)
    {
        int from = text.IndexOfAny((byte)'%', (byte)'+');
        if (from < 0) return text.Length;

        int to = from;
        while (from < text.Length)
        {
            byte current = text[from++];
            if (current == '+')
            {
                current = (byte)' ';
            }
            else if (current == '%' && TryReadHex(text[from..], out byte escaped))
            {
                current = escaped;
                from += 2;
            }

            text[to++] = current;
        }

        return to;
    }

    private static bool TryReadHex(ReadOnlySpan<byte> text, out byte value)
    {
        value = 0;
        return text.Length >= 2 && Utf8Parser.TryParse(text[..2], out value, out int used, 'x') && used == 2;
    }
}
