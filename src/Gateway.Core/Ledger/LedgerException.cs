namespace Gateway.Core.Ledger;

/// <summary>The ledger's file cannot be read or written now; what was to be kept in it is not.</summary>
public sealed class LedgerException(string message, Exception? inner = null) : IOException(message, inner);
