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
    private JsonCursor _cursor;
    private BodyFacts _body;

    public EventWalker(ReadOnlySpan<byte> json, EventRows rows, CaptureLimits limits, CaptureRejections rejections)
    {
        _json = json;
        _rows = rows;
        _limits = limits;
        _rejections = rejections;
        _cursor = new JsonCursor(json, limits.MaxDepth);
    }

    public Rejection? Walk(out BodyFacts body)
    {
        var rejection = _cursor.PeekType() switch
        {
            JsonTokenType.StartArray => WalkEvents(isBatch: false),
            JsonTokenType.StartObject => WalkObject(),
            _ => RefuseShape(),
        };

        // A second document may follow: then it is no JSON.
        if (rejection is null) _cursor.ReadEnd();

        body = _body;
        return rejection;
    }

    /// <summary>Only the token of a body that carries no events, such as a question for feature flags.</summary>
    public Rejection? WalkToken(out BodyFacts body)
    {
        body = default;
        if (_cursor.PeekType() != JsonTokenType.StartObject) return RefuseShape();

        EventFields fields = default;
        _cursor.Enter();
        while (_cursor.ReadKey(out var key))
        {
            var value = _cursor.ReadValue();
            if (EventKeys.OfEvent(Name(key)) == EventKey.Token) fields.KeepToken(value, _json);
        }

        _cursor.ReadEnd();
        body.Token = fields.Token;
        body.TokensDiffer = fields.TokensDiffer;
        return null;
    }

    /// <summary>It may be no JSON at all.</summary>
    private Rejection RefuseShape()
    {
        _cursor.ReadValue();
        return _rejections[RejectionReason.BadShape];
    }

    /// <summary>A batch or one event: which of the two, only the key <c>batch</c> tells, wherever it stands.</summary>
    private Rejection? WalkObject()
    {
        EventFields fields = default;
        JsonSlice sentAt = default;
        bool hasBatch = false;
        bool isHistorical = false;
        int start = _cursor.Position;
        _cursor.Enter();
        while (_cursor.ReadKey(out var key))
        {
            var name = Name(key);
            var eventKey = EventKeys.OfEvent(name);
            if (eventKey == EventKey.Other) eventKey = EventKeys.OfBatch(name);

            switch (eventKey)
            {
                case EventKey.Batch:
                    if (WalkBatch(ref hasBatch) is { } rejection) return rejection;
                    break;
                case EventKey.SentAt:
                    sentAt = _cursor.ReadValue();
                    break;
                case EventKey.HistoricalMigration:
                    isHistorical = _cursor.ReadValue().Type == JsonTokenType.True;
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

        fields.Whole = _cursor.From(start, JsonTokenType.StartObject);
        _body.Token = fields.OwnToken;
        _body.EventCount = 1;
        _rows.Add(_json, fields, index: 0);
        return null;
    }

    private Rejection? WalkBatch(ref bool hasBatch)
    {
        if (_cursor.PeekType() != JsonTokenType.StartArray)
            return _cursor.ReadValue().Type == JsonTokenType.Null ? null : _rejections[RejectionReason.BadShape];

        if (hasBatch) return _rejections[RejectionReason.BadShape];

        hasBatch = true;
        return WalkEvents(isBatch: true);
    }

    private Rejection? WalkEvents(bool isBatch)
    {
        _cursor.Enter();
        while (_cursor.ReadElement())
        {
            if (_body.EventCount == _limits.MaxEvents) return _rejections[RejectionReason.TooManyEvents];

            int index = _body.EventCount++;
            if (_cursor.PeekType() != JsonTokenType.StartObject)
            {
                _rows.Refuse(_json, _cursor.ReadValue(), index, _rejections.NotAnEvent);
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
        int start = _cursor.Position;
        _cursor.Enter();
        while (_cursor.ReadKey(out var key)) ReadField(EventKeys.OfEvent(Name(key)), ref fields);
        fields.Whole = _cursor.From(start, JsonTokenType.StartObject);
    }

    /// <summary>Of duplicate keys the last counts.</summary>
    private void ReadField(EventKey key, ref EventFields fields)
    {
        switch (key)
        {
            case EventKey.Name:
                fields.Name = _cursor.ReadValue();
                break;
            case EventKey.DistinctId:
                fields.DistinctId = _cursor.ReadValue();
                break;
            case EventKey.Uuid:
                fields.Uuid = _cursor.ReadValue();
                break;
            case EventKey.Timestamp:
                fields.Timestamp = _cursor.ReadValue();
                break;
            case EventKey.Offset:
                fields.Offset = _cursor.ReadValue();
                break;
            case EventKey.Properties:
                ReadProperties(out fields.Properties);
                break;
            case EventKey.Set:
                fields.Set = _cursor.ReadValue();
                break;
            case EventKey.SetOnce:
                fields.SetOnce = _cursor.ReadValue();
                break;
            case EventKey.Token:
                fields.KeepToken(_cursor.ReadValue(), _json);
                break;
            default:
                _cursor.ReadValue();
                break;
        }
    }

    private void ReadProperties(out PropertyFields properties)
    {
        properties = default;
        if (_cursor.PeekType() != JsonTokenType.StartObject)
        {
            properties.Whole = _cursor.ReadValue();
            return;
        }

        int start = _cursor.Position;
        _cursor.Enter();
        while (_cursor.ReadKey(out var key)) ReadProperty(EventKeys.OfProperties(Name(key)), ref properties);
        properties.Whole = _cursor.From(start, JsonTokenType.StartObject);
    }

    private void ReadProperty(PropertyKey key, ref PropertyFields properties)
    {
        switch (key)
        {
            case PropertyKey.Other:
                _cursor.ReadValue();
                break;
            case PropertyKey.DistinctId:
                properties.DistinctId = _cursor.ReadValue();
                break;
            case PropertyKey.Token:
                properties.Token = _cursor.ReadValue();
                break;
            case PropertyKey.CookielessMode:
                properties.CookielessMode = _cursor.ReadValue();
                break;
            case PropertyKey.IgnoreSentAt:
                properties.IgnoresSentAt = _cursor.ReadValue().Type == JsonTokenType.True;
                break;
            case PropertyKey.Set:
                properties.HasSet = true;
                _cursor.ReadValue();
                break;
            case PropertyKey.SetOnce:
                properties.HasSetOnce = true;
                _cursor.ReadValue();
                break;
            default:
                properties.KeepPromoted((int)key, _cursor.ReadValue());
                break;
        }
    }

    private readonly ReadOnlySpan<byte> Name(JsonSlice key)
    {
        if (!key.IsEscaped) return key.Raw(_json);
        return key.Length > EventKeys.LongestEscaped ? default : _rows.UnescapedKey(_json, key);
    }
}
