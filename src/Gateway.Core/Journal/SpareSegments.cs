using Microsoft.Extensions.Logging;

namespace Gateway.Core.Journal;

/// <summary>
/// Files written to their full size ahead of need, so that neither a full disk nor an allocation meets the path of an
/// acknowledgement. One is made when there is none; forgotten segments are taken in before that.
/// </summary>
internal sealed class SpareSegments(JournalOptions options, IDisk disk, ILogger logger)
{
    // A forgotten segment usually comes just after the spare was made: room for both saves making one each time.
    private const int MostKept = 2;
    private const string UnfinishedSuffix = ".unfinished";

    private readonly Lock _lock = new();
    private readonly List<string> _ready = [];
    private int _made;

    /// <summary>Takes in what an earlier process left ready, and removes what it left unfinished.</summary>
    public void Recover()
    {
        foreach (string name in disk.List(options.Directory))
        {
            string path = Path.Combine(options.Directory, name);
            if (name.EndsWith(UnfinishedSuffix, StringComparison.Ordinal)) disk.Delete(path);
            else if (name.StartsWith("spare.", StringComparison.Ordinal)) TakeIn(path);
        }
    }

    /// <summary>Makes a spare when there is none. A disk without room for it is told of, not an error.</summary>
    public void Ensure()
    {
        lock (_lock)
        {
            if (_ready.Count > 0) return;

            try
            {
                _ready.Add(Make(options.SegmentBytes));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                JournalLog.SpareFailed(logger, exception);
            }
        }
    }

    /// <summary>The path of a file of this size, a ready one if possible. The caller gives it its name.</summary>
    public string Take(long capacity)
    {
        lock (_lock)
        {
            if (capacity != options.SegmentBytes || _ready.Count == 0) return Make(capacity);

            string path = _ready[^1];
            _ready.RemoveAt(_ready.Count - 1);
            return path;
        }
    }

    /// <summary>Keeps the file of a forgotten segment for another, or deletes it.</summary>
    public void Recycle(string path, long length)
    {
        lock (_lock)
        {
            if (length != options.SegmentBytes || _ready.Count >= MostKept)
            {
                disk.Delete(path);
                return;
            }

            string spare = NewPath();
            disk.Rename(path, spare);
            _ready.Add(spare);
        }
    }

    private void TakeIn(string path)
    {
        long length;
        using (var file = disk.Open(path)) length = file.Length;

        if (length != options.SegmentBytes || _ready.Count >= MostKept) disk.Delete(path);
        else _ready.Add(path);
    }

    private string NewPath()
    {
        string path;
        do
        {
            path = Path.Combine(options.Directory, $"spare.{_made++}");
        }
        while (_ready.Contains(path));

        return path;
    }

    private string Make(long capacity)
    {
        string path = NewPath();
        string unfinished = path + UnfinishedSuffix;
        try
        {
            using (var file = disk.Create(unfinished))
            {
                file.Prewrite(capacity);
                file.Sync();
            }

            disk.Rename(unfinished, path);
            return path;
        }
        catch (IOException)
        {
            disk.Delete(unfinished);
            throw;
        }
    }
}
