namespace Gateway.Core.ClickHouse;

/// <summary>The caller's token and a statement's timeout as one token, and which of the two it was.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly CancellationToken _caller;
    private readonly TimeSpan _limit;
    private readonly CancellationTokenSource _timeout;
    private readonly CancellationTokenSource _either;

    public Deadline(TimeSpan limit, TimeProvider time, CancellationToken caller)
    {
        _caller = caller;
        _limit = limit;
        _timeout = new CancellationTokenSource(limit, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(caller, _timeout.Token);
    }

    public CancellationToken Token => _either.Token;

    /// <summary>What a failed call is reported as; null for the caller's own cancelling and for our mistakes.</summary>
    public ClickHouseException? Explain(Exception exception) => exception switch
    {
        _ when _caller.IsCancellationRequested => null,
        OperationCanceledException when _timeout.IsCancellationRequested =>
            new ClickHouseException($"ClickHouse did not answer within {_limit.TotalSeconds:0.#} s.", exception),
        HttpRequestException or IOException or OperationCanceledException =>
            new ClickHouseException($"ClickHouse cannot be reached: {exception.Message}", exception),
        InvalidDataException =>
            new ClickHouseException($"ClickHouse's answer is damaged: {exception.Message}", exception),
        _ => null,
    };

    public void Dispose()
    {
        _either.Dispose();
        _timeout.Dispose();
    }
}
