namespace Gateway.Core.Journal;

/// <summary>The journal cannot be opened or read. The message says why, and what an operator can do.</summary>
public sealed class JournalException : Exception
{
    public JournalException()
    {
    }

    public JournalException(string message)
        : base(message)
    {
    }

    public JournalException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
