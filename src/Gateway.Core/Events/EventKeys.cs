namespace Gateway.Core.Events;

internal enum EventKey : byte
{
    Other,
    Name,
    DistinctId,
    Uuid,
    Timestamp,
    Offset,
    Properties,
    Set,
    SetOnce,
    Token,
    Batch,
    SentAt,
    HistoricalMigration,
}

internal enum PropertyKey : byte
{
    // The first ones are the places in PromotedProperties.Names.
    CurrentUrl,
    Host,
    Pathname,
    ReferringDomain,
    Browser,
    Os,
    DeviceType,
    Lib,
    SessionId,
    Ip,

    DistinctId,
    Token,
    CookielessMode,
    IgnoreSentAt,
    Set,
    SetOnce,
    Other,
}

/// <summary>Tells keys apart by their length first, so that an unknown one costs a comparison or two.</summary>
internal static class EventKeys
{
    /// <summary>No key that matters is longer, each character written as an escape.</summary>
    public const int LongestEscaped = 6 * 20;

    public static EventKey OfEvent(ReadOnlySpan<byte> key) => key.Length switch
    {
        4 when key.SequenceEqual("uuid"u8) => EventKey.Uuid,
        4 when key.SequenceEqual("$set"u8) => EventKey.Set,
        5 when key.SequenceEqual("event"u8) => EventKey.Name,
        5 when key.SequenceEqual("token"u8) => EventKey.Token,
        6 when key.SequenceEqual("offset"u8) => EventKey.Offset,
        6 when key.SequenceEqual("$token"u8) => EventKey.Token,
        _ => OfEventLonger(key),
    };

    /// <summary>The keys that count only at the top of the body.</summary>
    public static EventKey OfBatch(ReadOnlySpan<byte> key) => key.Length switch
    {
        5 when key.SequenceEqual("batch"u8) => EventKey.Batch,
        7 when key.SequenceEqual("sent_at"u8) => EventKey.SentAt,
        20 when key.SequenceEqual("historical_migration"u8) => EventKey.HistoricalMigration,
        _ => EventKey.Other,
    };

    public static PropertyKey OfProperties(ReadOnlySpan<byte> key) => key.Length switch
    {
        3 when key.SequenceEqual("$os"u8) => PropertyKey.Os,
        3 when key.SequenceEqual("$ip"u8) => PropertyKey.Ip,
        4 when key.SequenceEqual("$lib"u8) => PropertyKey.Lib,
        4 when key.SequenceEqual("$set"u8) => PropertyKey.Set,
        5 when key.SequenceEqual("$host"u8) => PropertyKey.Host,
        5 when key.SequenceEqual("token"u8) => PropertyKey.Token,
        8 when key.SequenceEqual("$browser"u8) => PropertyKey.Browser,
        9 when key.SequenceEqual("$pathname"u8) => PropertyKey.Pathname,
        9 when key.SequenceEqual("$set_once"u8) => PropertyKey.SetOnce,
        > 9 => OfPropertiesLonger(key),
        _ => PropertyKey.Other,
    };

    private static EventKey OfEventLonger(ReadOnlySpan<byte> key) => key.Length switch
    {
        7 when key.SequenceEqual("api_key"u8) => EventKey.Token,
        9 when key.SequenceEqual("timestamp"u8) => EventKey.Timestamp,
        9 when key.SequenceEqual("$set_once"u8) => EventKey.SetOnce,
        10 when key.SequenceEqual("properties"u8) => EventKey.Properties,
        11 when key.SequenceEqual("distinct_id"u8) => EventKey.DistinctId,
        12 when key.SequenceEqual("$distinct_id"u8) => EventKey.DistinctId,
        _ => EventKey.Other,
    };

    private static PropertyKey OfPropertiesLonger(ReadOnlySpan<byte> key) => key.Length switch
    {
        11 when key.SequenceEqual("distinct_id"u8) => PropertyKey.DistinctId,
        11 when key.SequenceEqual("$session_id"u8) => PropertyKey.SessionId,
        12 when key.SequenceEqual("$current_url"u8) => PropertyKey.CurrentUrl,
        12 when key.SequenceEqual("$device_type"u8) => PropertyKey.DeviceType,
        15 when key.SequenceEqual("$ignore_sent_at"u8) => PropertyKey.IgnoreSentAt,
        16 when key.SequenceEqual("$cookieless_mode"u8) => PropertyKey.CookielessMode,
        17 when key.SequenceEqual("$referring_domain"u8) => PropertyKey.ReferringDomain,
        _ => PropertyKey.Other,
    };
}
