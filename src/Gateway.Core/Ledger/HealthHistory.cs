using System.Buffers.Binary;

namespace Gateway.Core.Ledger;

/// <summary>
/// How projects fared, minute by minute, in the ledger's file: what waited, how fresh events were, and which requests
/// were refused. What is added to a minute counts beside what it has, also after a restart, hence the whole histogram
/// of freshness is kept. It is little-endian, with the steps that have events only:
/// <code>
/// step    u8    of <see cref="Freshness"/>
/// events  u32
/// </code>
/// </summary>
public sealed class HealthHistory
{
    /// <summary>Of projects, in one transaction: shipping waits no longer than that takes.</summary>
    private const int MinutesAtOnce = 256;

    private const int StepBytes = 5;

    private static readonly TimeSpan ForgetEvery = TimeSpan.FromHours(1);

    private readonly LedgerFile _file;
    private readonly TimeSpan _keep;
    private readonly TimeProvider _time;
    private long? _forgotAt;

    internal HealthHistory(LedgerFile file, TimeSpan keep, TimeProvider time) =>
        (_file, _keep, _time) = (file, keep, time);

    /// <summary>
    /// A project's minutes, both ends included, in minutes since 1970 UTC; those without anything are left out.
    /// </summary>
    /// <exception cref="LedgerException">They cannot be read now.</exception>
    public List<HealthMinute> Read(ulong projectId, int from, int to) => _file.Read(() =>
    {
        var refused = ReadRefused(projectId, from, to);
        var minutes = ReadHealth(projectId, from, to)
            .Select(sample => sample with { Refused = refused.GetValueOrDefault(sample.Minute, []) })
            .ToDictionary(minute => minute.Minute);
        foreach (var (minute, counts) in refused)
            minutes.TryAdd(minute, new HealthMinute(minute, 0, default, counts));

        return minutes.Values
            .Where(minute => minute is not { Waiting: 0, Freshness.Events: 0, Refused.Count: 0 })
            .OrderBy(minute => minute.Minute)
            .ToList();
    });

    /// <summary>Requests of those minutes that were refused and are of no project that is known, by code.</summary>
    /// <exception cref="LedgerException">They cannot be read now.</exception>
    public IReadOnlyDictionary<string, long> ReadUnattributed(int from, int to) => _file.Read(() =>
        ReadRefused(Refusals.NoProject, from, to).Values
            .SelectMany(counts => counts)
            .GroupBy(count => count.Key, count => count.Value)
            .ToDictionary(counts => counts.Key, counts => counts.Sum()));

    /// <summary>Adds all of it, part by part; what is kept is no longer in the batch.</summary>
    /// <exception cref="LedgerException">The rest is still in the batch.</exception>
    internal void Add(HealthBatch batch)
    {
        foreach (var part in batch.Minutes.ToArray().Chunk(MinutesAtOnce))
        {
            lock (_file.Lock)
            {
                _file.Transact(() =>
                {
                    AddHealth(batch, part);
                    AddRefused(batch, part);
                });
            }

            batch.Remove(part);
        }

        ForgetIfDue();
    }

    private List<HealthMinute> ReadHealth(ulong projectId, int from, int to)
    {
        using var command = _file.Command(
            "SELECT minute, waiting, freshness FROM health WHERE project = $project AND minute BETWEEN $from AND $to",
            ("$project", (long)projectId), ("$from", from), ("$to", to));
        using var reader = command.ExecuteReader();
        var minutes = new List<HealthMinute>();
        while (reader.Read())
        {
            long[] steps = new long[Freshness.Steps];
            Unpack(reader.GetFieldValue<byte[]>(2), steps);
            minutes.Add(new HealthMinute(
                reader.GetInt32(0), reader.GetInt64(1), Freshness.FiguresOf(steps), new Dictionary<string, long>()));
        }

        return minutes;
    }

    private Dictionary<int, Dictionary<string, long>> ReadRefused(ulong projectId, int from, int to)
    {
        using var command = _file.Command(
            "SELECT minute, reason, requests FROM refusals "
            + "WHERE project = $project AND minute BETWEEN $from AND $to",
            ("$project", (long)projectId), ("$from", from), ("$to", to));
        using var reader = command.ExecuteReader();
        var minutes = new Dictionary<int, Dictionary<string, long>>();
        while (reader.Read())
        {
            int minute = reader.GetInt32(0);
            if (!minutes.TryGetValue(minute, out var counts)) minutes[minute] = counts = [];
            counts[reader.GetString(1)] = reader.GetInt64(2);
        }

        return minutes;
    }

    private void AddHealth(HealthBatch batch, MinuteKey[] part)
    {
        using var read = _file.Command("SELECT freshness FROM health WHERE project = $project AND minute = $minute");
        using var write = _file.Command(
            """
            INSERT INTO health VALUES ($project, $minute, coalesce($waiting, 0), $freshness)
            ON CONFLICT (project, minute) DO UPDATE SET
                waiting = coalesce($waiting, waiting), freshness = excluded.freshness
            """);
        foreach (var key in part)
        {
            var delta = batch[key];
            if (delta is { Waiting: null, Steps: null }) continue;

            read.Parameters.Clear();
            read.Parameters.AddWithValue("$project", (long)key.ProjectId);
            read.Parameters.AddWithValue("$minute", key.Minute);
            byte[] known = read.ExecuteScalar() as byte[] ?? [];

            write.Parameters.Clear();
            write.Parameters.AddWithValue("$project", (long)key.ProjectId);
            write.Parameters.AddWithValue("$minute", key.Minute);
            write.Parameters.AddWithValue("$waiting", (object?)delta.Waiting ?? DBNull.Value);
            write.Parameters.AddWithValue("$freshness", delta.Steps is { } steps ? Sum(known, steps) : known);
            write.ExecuteNonQuery();
        }
    }

    private void AddRefused(HealthBatch batch, MinuteKey[] part)
    {
        using var command = _file.Command(
            """
            INSERT INTO refusals VALUES ($project, $minute, $reason, $requests)
            ON CONFLICT (project, minute, reason) DO UPDATE SET requests = requests + excluded.requests
            """);
        foreach (var key in part)
        {
            foreach (var (reason, requests) in batch[key].Refused)
            {
                command.Parameters.Clear();
                command.Parameters.AddWithValue("$project", (long)key.ProjectId);
                command.Parameters.AddWithValue("$minute", key.Minute);
                command.Parameters.AddWithValue("$reason", reason);
                command.Parameters.AddWithValue("$requests", requests);
                command.ExecuteNonQuery();
            }
        }
    }

    private void ForgetIfDue()
    {
        if (_forgotAt is { } at && _time.GetElapsedTime(at) < ForgetEvery) return;

        int oldest = LedgerMinute.Of((_time.GetUtcNow() - _keep).ToUnixMicroseconds());
        lock (_file.Lock)
        {
            _file.Transact(() => _file.ForgetMinutes(oldest, "health"));
            _file.Transact(() => _file.ForgetMinutes(oldest, "refusals"));
        }

        _forgotAt = _time.GetTimestamp();
    }

    private static byte[] Sum(byte[] known, int[] added)
    {
        long[] steps = new long[Freshness.Steps];
        Unpack(known, steps);
        for (int i = 0; i < added.Length; i++) steps[i] += added[i];

        byte[] packed = new byte[StepBytes * steps.Count(events => events != 0)];
        int at = 0;
        for (int i = 0; i < steps.Length; i++)
        {
            if (steps[i] == 0) continue;

            packed[at] = (byte)i;
            BinaryPrimitives.WriteUInt32LittleEndian(packed.AsSpan(at + 1), (uint)Math.Min(steps[i], uint.MaxValue));
            at += StepBytes;
        }

        return packed;
    }

    private static void Unpack(ReadOnlySpan<byte> packed, long[] steps)
    {
        for (; packed.Length >= StepBytes; packed = packed[StepBytes..])
        {
            if (packed[0] < steps.Length) steps[packed[0]] += BinaryPrimitives.ReadUInt32LittleEndian(packed[1..]);
        }
    }
}
