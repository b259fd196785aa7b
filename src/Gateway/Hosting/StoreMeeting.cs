using Gateway.Core.ClickHouse;
using Gateway.Core.Shipping;
using Gateway.Core.Tenancy;
using Gateway.Core.Tokens;
using Gateway.Engine;

namespace Gateway.Hosting;

/// <summary>
/// Makes sure, before anything is shipped or queried, that the events store is the one that this installation keeps its
/// events in, and that no new project is given an id that the store knows.
/// </summary>
internal sealed class StoreMeeting(ControlPlane plane, EventsStoreId store, bool adopt, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private volatile bool _isOurs;

    /// <summary>False until the store has answered for the first time.</summary>
    public bool IsOurs => _isOurs;

    /// <summary>The embedded engine's data is a folder of ours: known before it is started.</summary>
    /// <exception cref="ControlPlaneException">It is another one's; the message is for the operator.</exception>
    public async Task MeetEngineAsync(string folder)
    {
        var marks = EngineStoreFile.ReadOrMake(folder, plane.InstallationId, adopt);
        try
        {
            await plane.EventsStore.MeetAsync(marks.Ids, marks.Owner, adopt, CancellationToken.None);
        }
        catch (TokenStoreException exception)
        {
            throw new ControlPlaneException(exception.Message, exception);
        }

        _isOurs = true;
    }

    /// <summary>Waits for the store, however long it takes, and meets it.</summary>
    /// <param name="failed">Told why it is not there yet.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ControlPlaneException">It is another one's; the message is for the operator.</exception>
    public async Task MeetAsync(Action<string> failed, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await TryMeetAsync(cancellationToken);
                return;
            }
            catch (Exception exception) when (exception is ClickHouseException or TokenStoreException)
            {
                failed(exception.Message);
            }

            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    private async Task TryMeetAsync(CancellationToken cancellationToken)
    {
        if (!_isOurs)
        {
            var marks = await store.ReadOrMakeAsync(plane.InstallationId, adopt, cancellationToken);
            await plane.EventsStore.MeetAsync(marks.Ids, marks.Owner, adopt, cancellationToken);
        }

        long greatest = await store.GreatestProjectAsync(cancellationToken);
        await plane.EventsStore.KeepProjectIdsAboveAsync(greatest, cancellationToken);
        _isOurs = true;
    }
}
