namespace Gateway.Core.Tenancy;

/// <summary>The control plane cannot be opened; the message says why, and is shown to the operator.</summary>
public sealed class ControlPlaneException(string message, Exception? cause = null) : Exception(message, cause);
