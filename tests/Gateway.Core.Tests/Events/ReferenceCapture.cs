using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Core.Events;

namespace Gateway.Core.Tests.Events;

/// <summary>
/// The same rules written for clarity, over a <see cref="JsonDocument"/>: what the parser is compared with. It takes
/// plain JSON only: <see cref="ReferenceBody"/> unwraps it.
/// </summary>
internal sealed partial class ReferenceCapture(CaptureLimits limits, bool isEngage, long now, long? querySentAt = null)
{
    private readonly List<CapturedEvent> _events = [];
    private readonly List<(RejectionReason Reason, int Index, string Raw)> _refusals = [];
    private readonly List<(int Place, long Client)> _skewed = [];

    public RejectionReason Reason { get; private set; }

    public string Token { get; private set; } = "";

    public bool IsHistorical { get; private set; }

    public IReadOnlyList<CapturedEvent> Events => _events;

    public IReadOnlyList<(RejectionReason Reason, int Index, string Raw)> Refusals => _refusals;

    /// <summary>It could not even be unwrapped.</summary>
    public void Refuse(RejectionReason reason) => Reason = reason;

    public void Parse(byte[] json)
    {
        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(json);
        }
        catch (DecoderFallbackException)
        {
            Reason = RejectionReason.BadUtf8;
            return;
        }

        try
        {
            using var document = JsonDocument.Parse(
                WithoutLoneSurrogates(text), new JsonDocumentOptions { MaxDepth = limits.MaxDepth });
            bool canHoldEvents = document.RootElement.ValueKind is JsonValueKind.Array or JsonValueKind.Object;
            Reason = canHoldEvents ? Read(document.RootElement) : RejectionReason.BadShape;
        }
        catch (JsonException)
        {
            Reason = RejectionReason.BadJson;
        }
    }

    private RejectionReason Read(JsonElement root)
    {
        bool isArray = root.ValueKind == JsonValueKind.Array;
        var batches = isArray ? [root] : Batches(root);
        if (batches.Length > 1 || batches.Any(batch => batch.ValueKind != JsonValueKind.Array))
            return RejectionReason.BadShape;

        var elements = batches.Length == 1 ? [.. batches[0].EnumerateArray()] : new[] { root };
        bool isBatch = !isArray && batches.Length == 1;
        var reason = ReadEvents(elements);
        if (reason == RejectionReason.None) reason = isArray ? ArrayToken(elements) : TopToken(root, isBatch);
        if (reason != RejectionReason.None) return reason;
        if (_events.Count == 0 && _refusals.Count > 0) return _refusals[0].Reason;

        ReadBatchFacts(isBatch ? root : null);
        return RejectionReason.None;
    }

    private RejectionReason ReadEvents(JsonElement[] elements)
    {
        if (elements.Length > limits.MaxEvents) return RejectionReason.TooManyEvents;
        if (elements.Length == 0) return RejectionReason.EmptyBatch;

        for (int i = 0; i < elements.Length; i++) Add(elements[i], i);
        return RejectionReason.None;
    }

    private void ReadBatchFacts(JsonElement? batch)
    {
        IsHistorical = LastOf(batch, "historical_migration")?.ValueKind == JsonValueKind.True;
        if ((Time(Last(batch, "sent_at")) ?? querySentAt) is not { } sentAt || Math.Abs(sentAt - now) <= 60_000_000) return;

        foreach (var (place, client) in _skewed)
            _events[place] = _events[place] with { Timestamp = Shown(now + (client - sentAt)) };
    }

    private void Add(JsonElement element, int index)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            _refusals.Add((RejectionReason.BadShape, index, element.GetRawText()));
            return;
        }

        if (Text(Last(element, "event")) == "$performance_event") return;

        var reason = Check(element);
        if (reason == RejectionReason.None) Keep(element);
        else _refusals.Add((reason, index, element.GetRawText()));
    }

    private RejectionReason Check(JsonElement element)
    {
        var properties = Last(element, "properties");
        if (Encoding.UTF8.GetByteCount(element.GetRawText()) > limits.MaxEventBytes) return RejectionReason.EventTooLarge;

        JsonElement?[] objects = [properties, Last(element, "$set"), Last(element, "$set_once")];
        if (objects.Any(value => value is { ValueKind: not JsonValueKind.Object })) return RejectionReason.BadProperties;

        if (Last(element, "uuid") is { } uuid && uuid.ValueKind != JsonValueKind.String) return RejectionReason.BadUuid;

        var name = Last(element, "event");
        if (name is { ValueKind: not JsonValueKind.String }) return RejectionReason.BadEventName;
        if (Last(element, "uuid") is { } text && !IsUuid(text.GetString()!)) return RejectionReason.BadUuid;

        var nameReason = CheckText(
            Name(name), limits.MaxEventNameLength, string.IsNullOrEmpty, RejectionReason.MissingEventName,
            RejectionReason.BadEventName, RejectionReason.EventNameTooLong);
        if (nameReason != RejectionReason.None) return nameReason;

        var idReason = CheckText(
            DistinctId(element), limits.MaxDistinctIdLength, string.IsNullOrWhiteSpace, RejectionReason.MissingDistinctId,
            RejectionReason.BadDistinctId, RejectionReason.DistinctIdTooLong);
        if (idReason != RejectionReason.None) return idReason;

        var flag = LastOf(properties, "$cookieless_mode")?.ValueKind;
        return flag is null or JsonValueKind.True or JsonValueKind.False
            ? RejectionReason.None
            : RejectionReason.BadCookielessFlag;
    }

    private static RejectionReason CheckText(
        string text, int most, Func<string, bool> isMissing, RejectionReason missing, RejectionReason bad,
        RejectionReason tooLong)
    {
        if (isMissing(text)) return missing;
        if (text.Contains('\0')) return bad;
        return text.EnumerateRunes().Count() > most ? tooLong : RejectionReason.None;
    }

    private void Keep(JsonElement element)
    {
        var properties = Last(element, "properties");
        string uuidText = Text(Last(element, "uuid")) ?? "";
        var uuid = ReadUuid(uuidText);
        long? client = Time(Last(element, "timestamp"));
        long? offset = Offset(Last(element, "offset"));
        long shown = Shown(offset is { } ago ? now - ago : client ?? now);

        var kept = new CapturedEvent(
            Name(Last(element, "event")), DistinctId(element), uuid ?? Guid.Empty, Day(client, uuid), shown,
            Properties(element, properties), Promoted(properties), Flags(properties, uuid));
        _events.Add(kept);

        bool ignores = LastOf(properties, "$ignore_sent_at")?.ValueKind == JsonValueKind.True;
        if (client is { } time && offset is null && !ignores) _skewed.Add((_events.Count - 1, time));
    }

    private static int Flags(JsonElement? properties, Guid? uuid) =>
        (LastOf(properties, "$ip") is null ? 0 : EventPayload.HasOwnIpFlag) | (uuid is null ? EventPayload.OwnUuidFlag : 0);

    private static long? Offset(JsonElement? value) => value is { ValueKind: JsonValueKind.Number } number
        ? (long)(Math.Clamp(number.GetDouble(), -31_622_400_000_000.0, 31_622_400_000_000.0) * 1000)
        : null;

    private static string Properties(JsonElement element, JsonElement? properties)
    {
        string text = properties?.GetRawText() ?? "{}";
        foreach (string key in (string[])["$set", "$set_once"])
        {
            if (Last(element, key) is not { } value || LastOf(properties, key) is not null) continue;

            string comma = text[1..^1].Trim(' ', '\t', '\r', '\n').Length == 0 ? "" : ",";
            text = $"{text[..^1]}{comma}\"{key}\":{value.GetRawText()}}}";
        }

        return text;
    }

    private static string Promoted(JsonElement? properties)
    {
        var text = new StringBuilder();
        foreach (string name in PromotedProperties.Names)
        {
            if (properties?.EnumerateObject().FirstOrDefault(Named(name)).Value is not { } value) continue;

            string? column = value.ValueKind switch
            {
                JsonValueKind.String => value.GetString(),
                JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
                _ => null,
            };
            if (column is { Length: > 0 }) text.Append(name).Append('=').Append(column).Append(';');
        }

        return text.ToString();
    }

    private RejectionReason TopToken(JsonElement root, bool isBatch)
    {
        string[] tokens = TopTokens(root);
        if (tokens.Distinct().Count() > 1) return RejectionReason.AmbiguousToken;
        string? token = tokens.LastOrDefault() ?? (isBatch ? null : InnerToken(root));
        return TakeToken(token);
    }

    private RejectionReason ArrayToken(JsonElement[] elements)
    {
        var events = elements.Where(element => element.ValueKind == JsonValueKind.Object).ToArray();
        string[] tokens = [.. events.SelectMany(OwnTokens)];
        return tokens.Distinct().Count() > 1 ? RejectionReason.ConflictingTokens : TakeToken(tokens.FirstOrDefault());
    }

    private static string[] OwnTokens(JsonElement element)
    {
        string[] own = TopTokens(element);
        if (own.Length > 0) return own;
        return InnerToken(element) is { } inner ? [inner] : [];
    }

    /// <summary>Text trimmed; what is no text by its JSON, marked.</summary>
    private static string[] TopTokens(JsonElement element) =>
        [.. element.EnumerateObject()
            .Where(property => property.Name is "token" or "$token" or "api_key")
            .Where(property => property.Value.ValueKind != JsonValueKind.Null)
            .Select(property => Text(property.Value) is { } text
                ? text.Trim(' ', '\t', '\r', '\n', '\f', '\v')
                : "\0" + property.Value.GetRawText())];

    private static string? InnerToken(JsonElement element) =>
        Text(LastOf(Last(element, "properties"), "token"))?.Trim(' ', '\t', '\r', '\n', '\f', '\v');

    private RejectionReason TakeToken(string? token)
    {
        if (string.IsNullOrEmpty(token)) return RejectionReason.MissingToken;
        if (token.StartsWith("phx_", StringComparison.Ordinal)) return RejectionReason.PersonalKeyAsToken;
        if (token.Length > 64 || !Ascii.IsValid(token) || token.Contains('\0')) return RejectionReason.BadToken;

        Token = token;
        return RejectionReason.None;
    }

    private string Name(JsonElement? name) => Text(name) ?? (isEngage ? "$identify" : "");

    private static string DistinctId(JsonElement element)
    {
        var id = element.EnumerateObject()
            .LastOrDefault(property => property.Name is "distinct_id" or "$distinct_id").Value;
        if (id.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
            id = LastOf(Last(element, "properties"), "distinct_id") ?? default;

        return id.ValueKind switch
        {
            JsonValueKind.Undefined or JsonValueKind.Null => "",
            JsonValueKind.String => id.GetString()!,
            _ => id.GetRawText(),
        };
    }

    private static int Day(long? client, Guid? uuid)
    {
        double days = 0;
        if (client is { } micros) days = Math.Floor(micros / 86_400e6);
        else if (uuid is { Version: 7 } id && id.Variant is >= 8 and <= 11) days = Milliseconds(id) / 86_400_000;
        return (int)Math.Clamp(days, 0, 65535);
    }

    private static long Milliseconds(Guid uuid) =>
        long.Parse(uuid.ToString("N")[..12], NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private long Shown(long micros) =>
        micros > now + 82_800_000_000 ? now : Math.Max(micros, -2_208_988_800_000_000);

    private static long? Time(JsonElement? value)
    {
        if (value?.ValueKind == JsonValueKind.Number) return ReferenceTime.ReadUnix(value.Value.GetRawText());
        return Text(value) is { } text ? ReferenceTime.Read(text) : null;
    }

    private static bool IsUuid(string text) => text.Length == 0 || ReadUuid(text) is not null;

    private static Guid? ReadUuid(string text) =>
        UuidText().Match(text) is { Success: true } match ? Guid.Parse(match.Groups[1].Value + match.Groups[2].Value) : null;

    private static string? Text(JsonElement? value) =>
        value?.ValueKind == JsonValueKind.String ? value?.GetString() : null;

    /// <summary>Null and absent are one.</summary>
    private static JsonElement? Last(JsonElement? element, string name) =>
        LastOf(element, name) is { ValueKind: not JsonValueKind.Null } value ? value : null;

    /// <summary>The last member of that name; null when there is none, or no object.</summary>
    private static JsonElement? LastOf(JsonElement? element, string name)
    {
        if (element is not { ValueKind: JsonValueKind.Object } parent) return null;

        var found = parent.EnumerateObject().LastOrDefault(Named(name)).Value;
        return found.ValueKind == JsonValueKind.Undefined ? null : found;
    }

    private static JsonElement[] Batches(JsonElement root) =>
        [.. root.EnumerateObject()
            .Where(Named("batch"))
            .Select(property => property.Value)
            .Where(value => value.ValueKind != JsonValueKind.Null)];

    private static Func<JsonProperty, bool> Named(string name) =>
        property => property.NameEquals(name);

    private static string WithoutLoneSurrogates(string json) =>
        Escapes().Replace(json, match => match.Groups["lone"].Success ? "\\ufffd" : match.Value);

    [GeneratedRegex(@"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\(?s:.)")]
    private static partial Regex Escapes();

    [GeneratedRegex(@"\A(?:urn:uuid:)?(?:((?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})|[0-9a-fA-F]{32})|\{([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\})\z")]
    private static partial Regex UuidText();
}
