using Gateway.Core.ClickHouse;
using Gateway.Core.Shipping;
using Gateway.Core.Tenancy;
using Gateway.Core.Tokens;
using Gateway.Engine;
using Gateway.Tenancy;

namespace Gateway.Hosting;

/// <summary>
/// Makes sure, before anything is shipped or queried, that the events store is the one that this installation keeps its
/// events in, and, before any project is made, that none is given an id that the store knows. From then on the store is
/// told of new ids, and asked again when the control database has forgotten some.
/// </summary>
internal sealed class StoreMeeting(
    ControlPlane plane, EventsStoreId store, bool adopt, TimeProvider time, ILogger log)
{
    private const string OldEvents =
        "The events store holds events already, but this installation is new: its projects would show them. Put back "
        + "a copy of the control database that belongs to them, or give this one a store or a database of its own.";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);

    private bool _isOurs;
    private long _remembered;

    /// <summary>The embedded engine's data is a folder of ours: known before it is started.</summary>
    /// <exception cref="ControlPlaneException">It is another one's; the message is for the operator.</exception>
    public async Task MeetEngineAsync(string folder)
    {
        try
        {
            bool claims = ClaimsAnew(EngineStoreFile.Read(folder));
            if (claims && EngineStoreFile.HasData(folder)) await RefuseIfNewAsync(CancellationToken.None);

            var marks = EngineStoreFile.ReadOrMake(folder, plane.InstallationId, adopt);
            await plane.EventsStore.MeetAsync(marks.Ids, marks.Owner, adopt, CancellationToken.None);
        }
        catch (TokenStoreException exception)
        {
            throw new ControlPlaneException(exception.Message, exception);
        }

        _isOurs = true;
    }

    /// <summary>Waits for the store, however long it takes, and meets it.</summary>
    /// <param name="unshipped">The greatest id of a project whose events the store is yet to get.</param>
    /// <param name="failed">Told why it is not there yet.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ControlPlaneException">It is another one's; the message is for the operator.</exception>
    public async Task MeetAsync(long unshipped, Action<string> failed, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await TryMeetAsync(unshipped, cancellationToken);
                return;
            }
            catch (Exception exception) when (exception is ClickHouseException or TokenStoreException)
            {
                failed(exception.Message);
            }

            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    /// <summary>After the meeting: no id that was given since is forgotten by both.</summary>
    public Task KeepIdsAsync(CancellationToken cancellationToken) =>
        new PatientLoop("Telling the events store of new projects", Pace, time, log).RunAsync(
            async token =>
            {
                await KeepIdsOnceAsync(token);
                return false;
            },
            cancellationToken);

    /// <summary>One round. Fewer ids than before are those of an older copy of the control database.</summary>
    internal async Task KeepIdsOnceAsync(CancellationToken cancellationToken)
    {
        if (await plane.EventsStore.LastProjectIdAsync(cancellationToken) != _remembered)
            await LevelAsync(0, cancellationToken);
    }

    internal async Task TryMeetAsync(long unshipped, CancellationToken cancellationToken)
    {
        if (!_isOurs)
        {
            long stored = await store.GreatestProjectAsync(cancellationToken);
            bool claims = ClaimsAnew(await store.ReadAsync(cancellationToken));
            if (claims && stored > 0) await RefuseIfNewAsync(cancellationToken);

            var marks = await store.ReadOrMakeAsync(plane.InstallationId, adopt, cancellationToken);
            await plane.EventsStore.MeetAsync(marks.Ids, marks.Owner, adopt, cancellationToken);
            _isOurs = true;
        }

        await LevelAsync(unshipped, cancellationToken);
    }

    /// <summary>Store and control database each take the other's greatest id for their own.</summary>
    private async Task LevelAsync(long atLeast, CancellationToken cancellationToken)
    {
        long stored = await store.GreatestProjectAsync(cancellationToken);
        long last = await plane.EventsStore.KeepProjectIdsAboveAsync(
            Math.Max(Math.Max(stored, atLeast), _remembered), cancellationToken);
        if (last > stored) await store.RememberProjectAsync(last, cancellationToken);
        _remembered = last;
    }

    /// <summary>Nobody's store, or another one's that the operator wants to be ours.</summary>
    private bool ClaimsAnew(EventsStoreMarks? known) =>
        known is null || (known.Owner != plane.InstallationId && adopt);

    /// <summary>
    /// Whose events these are nobody can say who knows nothing of before; to adopt them would change nothing.
    /// </summary>
    private async Task RefuseIfNewAsync(CancellationToken cancellationToken)
    {
        if (await plane.EventsStore.HasMetNoneAsync(cancellationToken)) throw new ControlPlaneException(OldEvents);
    }
}
