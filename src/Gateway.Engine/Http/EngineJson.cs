using System.Text.Json.Serialization;

namespace Gateway.Engine.Http;

/// <summary>What the program writes and reads as JSON.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    NumberHandling = JsonNumberHandling.WriteAsString)]
[JsonSerializable(typeof(Credentials))]
[JsonSerializable(typeof(QuerySummary))]
internal sealed partial class EngineJson : JsonSerializerContext;
