namespace Gateway.Engine;

/// <summary>The embedded engine cannot be run here; the message says what to do about it.</summary>
internal sealed class EngineException(string message) : Exception(message);
