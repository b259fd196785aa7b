namespace Gateway.Core.Events;

/// <summary>One event that was refused beside good ones.</summary>
/// <param name="Index">Its place in the request, from 0.</param>
/// <param name="Rejection">Why.</param>
public readonly record struct RefusedEvent(int Index, Rejection Rejection);
