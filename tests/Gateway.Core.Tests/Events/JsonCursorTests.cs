using System.Text;
using System.Text.Json;
using Gateway.Core.Events;

namespace Gateway.Core.Tests.Events;

/// <summary>The framework's own reader says what is JSON, and where each value of it stands.</summary>
public sealed class JsonCursorTests
{
    private const int MaxDepth = 5;
    private const int DocumentsPerSeed = 20_000;

    public static TheoryData<string> Documents() =>
    [
        "", " ", "\0", "{}", "[]", "[ ]", "{ }", " {} ", "{}x", "{} {}", "[1 ,2]", "[1,]", "[,1]", "[1 2]", "{,}", "{\"a\":1,}", "{,\"a\":1}",
        "{\"a\" : 1 , \"b\":2}", "{\"a\" 1}", "{\"a\":}", "{\"a\"}", "{1:2}", "{a:1}", "{'a':1}", "[", "{", "\"", "[}", "{]", "]", "}", ",", ":",
        "{\"a\":1", "{\"a\":", "[1", "\"abc", "\"a\\\"", "\"a\\", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\u1234\"", "\"\\uABcd\"", "\"\\ud83c\"",
        "\"a\tb\"", "\"a\u001fb\"", "\"a\u007fb\"", "\"a\nb\"", "true", "false", "null", "tru", "truex", "nul", "fals", "True", "[true,false,null]",
        "[truefalse]", "0", "-0", "-", "00", "01", "-01", "1.", ".1", "1.5", "1e5", "1E+5", "1e-5", "1e", "1e+", "1.e5", "+1", "1.5.5", "0x10", "NaN",
        "[0]", "[-]", "[1.]", "[1e]", "[01]", "[1,2.50,-3e-7]", "// c\n{}", "{/**/}", "[[[[[]]]]]", "[[[[[[]]]]]]", "{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}",
        "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}", "[[[[[1]]]],2]", "\u00a0{}", "\f{}", "{\"a\":1}\r\n\t ", "\"é😀\"", "{\"\":\"\"}", "{\"a\":1,\"a\":2}",
    ];

    [Theory]
    [MemberData(nameof(Documents))]
    public void What_the_framework_takes_is_taken_and_nothing_else(string document) =>
        RequireTheSame(Encoding.UTF8.GetBytes(document));

    /// <summary>Texts are searched 32 bytes at a time: what ends one stands at every place of that.</summary>
    [Theory]
    [InlineData("\"")]
    [InlineData("\\n")]
    [InlineData("\\u00e9")]
    [InlineData("\\")]
    [InlineData("\u0001")]
    [InlineData("\u001f")]
    [InlineData(" ")]
    public void A_text_ends_where_it_ends_however_long_it_is(string inside)
    {
        for (int before = 0; before < 100; before++)
        {
            foreach (int behind in (int[])[0, 1, 31, 32, 33, 70])
            {
                string text = new string('x', before) + inside + new string('y', behind);
                RequireTheSame(Encoding.UTF8.GetBytes($"\"{text}\""));
                RequireTheSame(Encoding.UTF8.GetBytes($"{{\"{text}\":[\"{text}\",1]}}"));
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Broken_documents_are_judged_as_the_framework_judges_them(int seed)
    {
        var random = new Random(seed);
        var generator = new JsonGenerator(random);
        int taken = 0;
        for (int i = 0; i < DocumentsPerSeed; i++)
        {
            byte[] document = Encoding.UTF8.GetBytes(generator.Body());
            if (i % 4 != 0) document = JsonMutator.Mutate(random, document);
            if (RequireTheSame(document)) taken++;
        }

        // Otherwise it would only test refusals, or none.
        Assert.InRange(taken, DocumentsPerSeed / 4, DocumentsPerSeed * 9 / 10);
    }

    /// <returns>Whether it is JSON.</returns>
    private static bool RequireTheSame(byte[] document)
    {
        var expected = Values(document);
        Assert.Equal(expected is null ? null : Text(expected), CursorValues(document) is { } values ? Text(values) : null);
        Assert.Equal(expected is not null, CanBeSkipped(document));
        return expected is not null;

        string Text(List<JsonSlice> found) => $"{Encoding.UTF8.GetString(document)}: {string.Join('\n', found)}";
    }

    private static List<JsonSlice>? Values(byte[] document)
    {
        var values = new List<JsonSlice>();
        var starts = new Stack<int>();
        var reader = new Utf8JsonReader(document, new JsonReaderOptions { MaxDepth = MaxDepth });
        try
        {
            while (reader.Read())
            {
                int start = (int)reader.TokenStartIndex;
                switch (reader.TokenType)
                {
                    case JsonTokenType.StartObject or JsonTokenType.StartArray:
                        starts.Push(start);
                        break;
                    case JsonTokenType.EndObject or JsonTokenType.EndArray:
                        var type = reader.TokenType == JsonTokenType.EndObject ? JsonTokenType.StartObject : JsonTokenType.StartArray;
                        int began = starts.Pop();
                        values.Add(new JsonSlice(began, (int)reader.BytesConsumed - began, type, false));
                        break;
                    case JsonTokenType.PropertyName or JsonTokenType.String:
                        values.Add(new JsonSlice(start + 1, reader.ValueSpan.Length, JsonTokenType.String, reader.ValueIsEscaped));
                        break;
                    default:
                        values.Add(new JsonSlice(start, reader.ValueSpan.Length, reader.TokenType, false));
                        break;
                }
            }

            return values;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static List<JsonSlice>? CursorValues(byte[] document)
    {
        var values = new List<JsonSlice>();
        var cursor = new JsonCursor(document, MaxDepth);
        try
        {
            Walk(ref cursor, values);
            cursor.ReadEnd();
            return values;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static void Walk(ref JsonCursor cursor, List<JsonSlice> values)
    {
        var type = cursor.PeekType();
        int start = cursor.Position;
        switch (type)
        {
            case JsonTokenType.StartObject:
                cursor.Enter();
                while (cursor.ReadKey(out var key))
                {
                    values.Add(key);
                    Walk(ref cursor, values);
                }

                values.Add(cursor.From(start, type));
                break;
            case JsonTokenType.StartArray:
                cursor.Enter();
                while (cursor.ReadElement()) Walk(ref cursor, values);
                values.Add(cursor.From(start, type));
                break;
            default:
                values.Add(cursor.ReadValue());
                break;
        }
    }

    private static bool CanBeSkipped(byte[] document)
    {
        var cursor = new JsonCursor(document, MaxDepth);
        try
        {
            cursor.ReadValue();
            cursor.ReadEnd();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
