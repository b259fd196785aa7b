using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Gateway.Core;
using Gateway.Core.Tenancy;
using Gateway.Hosting;

namespace Gateway.Tenancy;

/// <summary>
/// The body of a request to the management API: a JSON object, read once, whose fields are asked for by name and type.
/// The first field that is not as it should be is remembered, and everything asked for after it is null:
/// <code>
/// var (body, error) = await JsonBody.ReadAsync(context);
/// if (body is null) return error!;
/// string? name = body.Text("name", maxLength: 200, required: true);
/// bool? isPrivate = body.Flag("anonymize_ips");
/// if (body.Refusal is { } refusal) return refusal.ToError();
/// </code>
/// A field that is left out or null gives null, unless it is required; <see cref="Has"/> tells the two from a value.
/// Fields that nobody asks for are ignored: PostHog's clients send more than we keep.
/// </summary>
internal sealed class JsonBody
{
    public const int MaxBytes = 64 << 10;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    private readonly Dictionary<string, JsonElement> _fields;

    private JsonBody(Dictionary<string, JsonElement> fields) => _fields = fields;

    /// <summary>What is wrong with the first field that is not as it should be; null while all are.</summary>
    public Refusal? Refusal { get; private set; }

    /// <summary>Reads it; null when the request is to be answered with the error.</summary>
    /// <param name="context">The request.</param>
    /// <param name="optional">Whether no body at all is as good as an empty object.</param>
    public static async ValueTask<(JsonBody? Body, IResult? Error)> ReadAsync(
        HttpContext context, bool optional = false)
    {
        byte[]? bytes;
        try
        {
            bytes = await ReadBytesAsync(context);
        }
        catch (BadHttpRequestException exception) when (exception.StatusCode < 500)
        {
            return (null, ApiError.Validation("The body did not arrive whole.", code: "parse_error"));
        }

        if (bytes is null)
            return (null, ApiError.Validation($"A body has at most {MaxBytes} bytes.", code: "too_large"));
        if (bytes.Length == 0 && optional) return (new JsonBody([]), null);

        // A form can be sent by any page in the world with the reader's cookie; JSON cannot, without being asked first.
        if (!Callers.HasKey(context) && !context.Request.HasJsonContentType())
            return (null, ApiError.UnsupportedMediaType("The body must be sent as Content-Type: application/json."));

        return Parse(bytes) is { } body
            ? (body, null)
            : (null, ApiError.Validation("The body must be a JSON object, with no key twice.", code: "parse_error"));
    }

    /// <summary>Null when it is not a JSON object.</summary>
    internal static JsonBody? Parse(ReadOnlyMemory<byte> bytes)
    {
        // The reader takes no byte order mark, and finds bad UTF-8 only when a text is asked for.
        if (bytes.Span.StartsWith("\uFEFF"u8)) bytes = bytes["\uFEFF"u8.Length..];
        if (!Utf8.IsValid(bytes.Span)) return null;

        try
        {
            using var document = JsonDocument.Parse(bytes, Strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object) return null;

            return new JsonBody(document.RootElement.Clone().EnumerateObject()
                .ToDictionary(field => field.Name, field => field.Value, StringComparer.Ordinal));
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The second: half a surrogate pair in a key.
            return null;
        }
    }

    /// <summary>Whether the field is there and not null.</summary>
    public bool Has(string name) =>
        _fields.TryGetValue(name, out var value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>
    /// A text without control characters, also those that turn the direction of what is around it; blanks around it are
    /// cut off, and something of it is to be seen.
    /// </summary>
    /// <param name="name">The field.</param>
    /// <param name="maxLength">In characters, as people count them: code points.</param>
    /// <param name="required">Whether it must be there.</param>
    /// <param name="mayBeBlank">Whether an empty text is one.</param>
    public string? Text(string name, int maxLength, bool required = false, bool mayBeBlank = false) =>
        Find(name, required) is { } value ? TrimmedOf(name, value, maxLength, mayBeBlank) : null;

    /// <summary>A text of which every character counts, blanks too: a password.</summary>
    public string? Secret(string name, int maxLength, bool required = false) =>
        Find(name, required) is { } value ? TextOf(name, value, maxLength) : null;

    /// <summary>A whole number within limits.</summary>
    public long? Whole(string name, long least = 0, long most = long.MaxValue, bool required = false) =>
        Find(name, required) is { } value ? WholeOf(name, value, least, most) : null;

    /// <summary>The number of a project or another thing that is counted; from 1 on.</summary>
    public long? Id(string name, bool required = false) => Whole(name, least: 1, required: required);

    /// <summary>True or false.</summary>
    public bool? Flag(string name, bool required = false) => Find(name, required)?.ValueKind switch
    {
        null => null,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => FailValue<bool>(name, "must be true or false."),
    };

    /// <summary>A UUID with its hyphens.</summary>
    public Guid? Uuid(string name, bool required = false) =>
        Find(name, required) is { } value ? UuidOf(name, value) : null;

    /// <summary>A list of texts, none of them blank.</summary>
    public IReadOnlyList<string>? Texts(string name, int maxCount, int maxLength, bool required = false) =>
        Many(name, maxCount, required, value => TrimmedOf(name, value, maxLength, mayBeBlank: false));

    /// <summary>A list of numbers of projects.</summary>
    public IReadOnlyList<long>? Ids(string name, int maxCount, bool required = false) =>
        Many(name, maxCount, required, value => (object?)WholeOf(name, value, 1, long.MaxValue)) is { } ids
            ? [.. ids.Cast<long>()]
            : null;

    /// <summary>A list of UUIDs.</summary>
    public IReadOnlyList<Guid>? Uuids(string name, int maxCount, bool required = false) =>
        Many(name, maxCount, required, value => (object?)UuidOf(name, value)) is { } uuids
            ? [.. uuids.Cast<Guid>()]
            : null;

    /// <summary>Remembers that a field is wrong for another reason, unless one was wrong already.</summary>
    public void Reject(string name, string detail, string code = "invalid_input") =>
        Refusal ??= Refusal.Invalid(name, $"{name} {detail}", code);

    private static async ValueTask<byte[]?> ReadBytesAsync(HttpContext context)
    {
        if (context.Request.ContentLength > MaxBytes) return null;

        using MemoryStream body = new();
        byte[] buffer = new byte[4096];
        int read;
        while ((read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0)
        {
            if (body.Length + read > MaxBytes) return null;
            body.Write(buffer, 0, read);
        }

        // The body may have come in a second piece: what follows may check a password.
        await SocketThreads.LeaveAsync();
        return body.ToArray();
    }

    /// <summary>The field's value; null when it is left out, or when something is wrong already.</summary>
    private JsonElement? Find(string name, bool required)
    {
        if (Refusal is not null) return null;
        if (_fields.TryGetValue(name, out var value) && value.ValueKind != JsonValueKind.Null) return value;

        if (required) Reject(name, "is required.", "required");
        return null;
    }

    private string? TrimmedOf(string name, JsonElement value, int maxLength, bool mayBeBlank) =>
        TextOf(name, value, maxLength, isTrimmed: true) is { } text
            ? text.Length > 0 || mayBeBlank ? text : Fail<string>(name, "may not be blank.", "blank")
            : null;

    private string? TextOf(string name, JsonElement value, int maxLength, bool isTrimmed = false)
    {
        if (value.ValueKind != JsonValueKind.String) return Fail<string>(name, "must be a text.");

        string text;
        try
        {
            text = value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return Fail<string>(name, "holds half a character (a lone surrogate).");
        }

        if (text.Any(char.IsControl)) return Fail<string>(name, "may not hold control characters.");
        if (isTrimmed)
        {
            if (text.Any(IsBreakOrTurn))
                return Fail<string>(name, "may not hold line separators or marks that turn the direction of text.");
            text = text.EnumerateRunes().All(IsInvisible) ? "" : text.Trim();
        }

        return text.EnumerateRunes().Count() <= maxLength
            ? text
            : Fail<string>(name, $"may have at most {maxLength} characters.", "max_length");
    }

    /// <summary>What makes a text look like another one where it is shown in a list or a log.</summary>
    private static bool IsBreakOrTurn(char letter) =>
        letter is (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069') or '\u2028' or '\u2029';

    private static bool IsInvisible(Rune rune) =>
        Rune.IsWhiteSpace(rune) || Rune.GetUnicodeCategory(rune) == UnicodeCategory.Format;

    private long? WholeOf(string name, JsonElement value, long least, long most)
    {
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number)
            && number >= least && number <= most)
        {
            return number;
        }

        return FailValue<long>(name, most == long.MaxValue
            ? $"must be a whole number, {least} or more."
            : $"must be a whole number from {least} to {most}.");
    }

    private Guid? UuidOf(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.String && ExactUuid.TryParse(RawText(value), out var uuid)
            ? uuid
            : FailValue<Guid>(name, "must be a UUID.");

    private List<T>? Many<T>(string name, int maxCount, bool required, Func<JsonElement, T?> read)
        where T : class
    {
        if (Find(name, required) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Array) return Fail<List<T>>(name, "must be a list.");
        if (value.GetArrayLength() > maxCount)
            return Fail<List<T>>(name, $"may hold at most {maxCount} entries.", "max_length");

        var list = new List<T>(value.GetArrayLength());
        foreach (var element in value.EnumerateArray())
        {
            if (read(element) is not { } item) return null;
            list.Add(item);
        }

        return list;
    }

    /// <summary>As it stands between its quotes: a UUID needs no escapes, and nothing with them is one.</summary>
    private static ReadOnlySpan<char> RawText(JsonElement value) => value.GetRawText().AsSpan()[1..^1];

    private T? Fail<T>(string name, string detail, string code = "invalid_input")
        where T : class
    {
        Reject(name, detail, code);
        return null;
    }

    private T? FailValue<T>(string name, string detail)
        where T : struct
    {
        Reject(name, detail);
        return null;
    }
}
