using System.Text.Json;

namespace Gateway.Core.Events;

/// <summary>What a body holds besides its events.</summary>
internal struct BodyFacts
{
    public int EventCount;
    public bool IsHistorical;

    /// <summary>The token that counts for the whole request.</summary>
    public JsonSlice Token;

    /// <summary>The top level names two different tokens.</summary>
    public bool TokensDiffer;

    /// <summary>The events of an array name different tokens.</summary>
    public bool TokensConflict;

    public JsonSlice SentAt;
}

/// <summary>
/// Walks a body once, from its first byte to its last, and hands each event over as soon as it is whole. Three shapes:
/// <code>
/// [event, …]      {"api_key": …, "batch": [event, …], "sent_at": …}      event
/// </code>
/// Keys come in any order, and a token may follow the events that it is for. Throws <see cref="JsonException"/> for
/// what is no JSON.
/// </summary>
internal ref struct EventWalker
{
    private readonly ReadOnlySpan<byte> _json;
    private readonly EventRows _rows;
    private readonly CaptureLimits _limits;
    private readonly CaptureRejections _rejections;
    private Utf8JsonReader _reader;
    private BodyFacts _body;

    public EventWalker(ReadOnlySpan<byte> json, EventRows rows, CaptureLimits limits, CaptureRejections rejections)
    {
        _json = json;
        _rows = rows;
        _limits = limits;
        _rejections = rejections;
        _reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = limits.MaxDepth });
    }

    public Rejection? Walk(out BodyFacts body)
    {
        _reader.Read();
        var rejection = _reader.TokenType switch
        {
            JsonTokenType.StartArray => WalkEvents(isBatch: false),
            JsonTokenType.StartObject => WalkObject(),
            _ => _rejections[RejectionReason.BadShape],
        };

        // Reading on from the end throws when a second document follows.
        if (rejection is null) _reader.Read();

        body = _body;
        return rejection;
    }

    /// <summary>Only the token of a body that carries no events, such as a question for feature flags.</summary>
    public Rejection? WalkToken(out BodyFacts body)
    {
        body = default;
        _reader.Read();
        if (_reader.TokenType != JsonTokenType.StartObject) return _rejections[RejectionReason.BadShape];

        EventFields fields = default;
        while (ReadKey())
        {
            if (EventKeys.OfEvent(Key()) == EventKey.Token) fields.KeepToken(ReadValue(), _json);
            else SkipValue();
        }

        _reader.Read();
        body.Token = fields.Token;
        body.TokensDiffer = fields.TokensDiffer;
        return null;
    }

    /// <summary>A batch or one event: which of the two, only the key <c>batch</c> tells, wherever it stands.</summary>
    private Rejection? WalkObject()
    {
        EventFields fields = default;
        JsonSlice sentAt = default;
        bool hasBatch = false;
        bool isHistorical = false;
        int start = (int)_reader.TokenStartIndex;

        while (ReadKey())
        {
            var key = Key();
            var eventKey = EventKeys.OfEvent(key);
            if (eventKey == EventKey.Other) eventKey = EventKeys.OfBatch(key);

            switch (eventKey)
            {
                case EventKey.Batch:
                    if (WalkBatch(ref hasBatch) is { } rejection) return rejection;
                    break;
                case EventKey.SentAt:
                    sentAt = ReadValue();
                    break;
                case EventKey.HistoricalMigration:
                    isHistorical = ReadValue().Type == JsonTokenType.True;
                    break;
                default:
                    ReadField(eventKey, ref fields);
                    break;
            }
        }

        _body.TokensDiffer = fields.TokensDiffer;
        if (hasBatch)
        {
            _body.Token = fields.Token;
            _body.SentAt = sentAt;
            _body.IsHistorical = isHistorical;
            return null;
        }

        fields.Whole = From(start, JsonTokenType.StartObject);
        _body.Token = fields.OwnToken;
        _body.EventCount = 1;
        _rows.Add(_json, fields, index: 0);
        return null;
    }

    private Rejection? WalkBatch(ref bool hasBatch)
    {
        _reader.Read();
        if (_reader.TokenType == JsonTokenType.Null) return null;
        if (_reader.TokenType != JsonTokenType.StartArray || hasBatch) return _rejections[RejectionReason.BadShape];

        hasBatch = true;
        return WalkEvents(isBatch: true);
    }

    private Rejection? WalkEvents(bool isBatch)
    {
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
        {
            if (_body.EventCount == _limits.MaxEvents) return _rejections[RejectionReason.TooManyEvents];

            int index = _body.EventCount++;
            if (_reader.TokenType != JsonTokenType.StartObject)
            {
                _rows.Refuse(_json, CurrentValue(), index, _rejections.NotAnEvent);
                continue;
            }

            WalkEvent(out var fields);
            _rows.Add(_json, fields, index);
            if (!isBatch) KeepArrayToken(fields);
        }

        return null;
    }

    private void KeepArrayToken(in EventFields fields)
    {
        var token = fields.OwnToken;
        if (token.IsMissing) return;

        bool agrees = !fields.TokensDiffer
            && (_body.Token.IsMissing || TokenText.AreEqual(_body.Token, token, _json));
        if (!agrees) _body.TokensConflict = true;
        if (_body.Token.IsMissing) _body.Token = token;
    }

    private void WalkEvent(out EventFields fields)
    {
        fields = default;
        int start = (int)_reader.TokenStartIndex;
        while (ReadKey()) ReadField(EventKeys.OfEvent(Key()), ref fields);
        fields.Whole = From(start, JsonTokenType.StartObject);
    }

    /// <summary>Of duplicate keys the last counts.</summary>
    private void ReadField(EventKey key, ref EventFields fields)
    {
        switch (key)
        {
            case EventKey.Name:
                fields.Name = ReadValue();
                break;
            case EventKey.DistinctId:
                fields.DistinctId = ReadValue();
                break;
            case EventKey.Uuid:
                fields.Uuid = ReadValue();
                break;
            case EventKey.Timestamp:
                fields.Timestamp = ReadValue();
                break;
            case EventKey.Offset:
                fields.Offset = ReadValue();
                break;
            case EventKey.Properties:
                ReadProperties(out fields.Properties);
                break;
            case EventKey.Set:
                fields.Set = ReadValue();
                break;
            case EventKey.SetOnce:
                fields.SetOnce = ReadValue();
                break;
            case EventKey.Token:
                fields.KeepToken(ReadValue(), _json);
                break;
            default:
                SkipValue();
                break;
        }
    }

    private void ReadProperties(out PropertyFields properties)
    {
        properties = default;
        _reader.Read();
        if (_reader.TokenType != JsonTokenType.StartObject)
        {
            properties.Whole = CurrentValue();
            return;
        }

        int start = (int)_reader.TokenStartIndex;
        while (ReadKey()) ReadProperty(EventKeys.OfProperties(Key()), ref properties);
        properties.Whole = From(start, JsonTokenType.StartObject);
    }

    private void ReadProperty(PropertyKey key, ref PropertyFields properties)
    {
        switch (key)
        {
            case PropertyKey.Other:
                SkipValue();
                break;
            case PropertyKey.DistinctId:
                properties.DistinctId = ReadValue();
                break;
            case PropertyKey.Token:
                properties.Token = ReadValue();
                break;
            case PropertyKey.CookielessMode:
                properties.CookielessMode = ReadValue();
                break;
            case PropertyKey.IgnoreSentAt:
                properties.IgnoresSentAt = ReadValue().Type == JsonTokenType.True;
                break;
            case PropertyKey.Set:
                properties.HasSet = true;
                SkipValue();
                break;
            case PropertyKey.SetOnce:
                properties.HasSetOnce = true;
                SkipValue();
                break;
            default:
                properties.KeepPromoted((int)key, ReadValue());
                break;
        }
    }

    /// <summary>False at the object's end.</summary>
    private bool ReadKey() => _reader.Read() && _reader.TokenType == JsonTokenType.PropertyName;

    private readonly ReadOnlySpan<byte> Key()
    {
        if (!_reader.ValueIsEscaped) return _reader.ValueSpan;
        return _reader.ValueSpan.Length > EventKeys.LongestEscaped ? default : _rows.UnescapedKey(in _reader);
    }

    private JsonSlice ReadValue()
    {
        _reader.Read();
        return CurrentValue();
    }

    private JsonSlice CurrentValue()
    {
        int start = (int)_reader.TokenStartIndex;
        var type = _reader.TokenType;
        switch (type)
        {
            case JsonTokenType.String:
                return new JsonSlice(start + 1, _reader.ValueSpan.Length, type, _reader.ValueIsEscaped);
            case JsonTokenType.StartObject or JsonTokenType.StartArray:
                _reader.Skip();
                return From(start, type);
            default:
                return new JsonSlice(start, _reader.ValueSpan.Length, type, false);
        }
    }

    private void SkipValue()
    {
        _reader.Read();
        if (_reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray) _reader.Skip();
    }

    private readonly JsonSlice From(int start, JsonTokenType type) =>
        new(start, (int)_reader.BytesConsumed - start, type, false);
}
