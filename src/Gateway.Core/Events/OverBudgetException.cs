namespace Gateway.Core.Events;

/// <summary>
/// No budget is left for a buffer to grow. Caught at the top of the parser, which refuses the request.
/// </summary>
internal sealed class OverBudgetException : Exception;
