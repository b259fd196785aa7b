using Gateway.Core.Journal;
using Gateway.Core.Ledger;
using Gateway.Core.Shipping;

namespace Gateway.Ledger;

/// <summary>What the endpoints of this folder read; there once the journal is recovered.</summary>
/// <param name="Journal">Our own.</param>
/// <param name="Ledger">Its books.</param>
/// <param name="Shipper">Its shipper.</param>
/// <param name="Attached">The books of journals that other gateways left to us.</param>
/// <param name="Health">Writes down how projects fare.</param>
internal sealed record LedgerBooks(
    EventJournal Journal,
    EventLedger Ledger,
    Shipper Shipper,
    IReadOnlyList<EventLedger> Attached,
    HealthRecorder Health)
{
    public IEnumerable<EventLedger> All => Attached.Prepend(Ledger);

    public static LedgerBooks Open(
        EventJournal journal,
        EventLedger ledger,
        Shipper shipper,
        IReadOnlyList<EventLedger> attached,
        Refusals refusals,
        FindRevokedTokens findRevoked,
        TimeProvider time,
        ILogger log)
    {
        var health = new HealthRecorder(
            ledger.Health, [ledger, .. attached], shipper.Freshness, refusals, findRevoked, time, log);
        return new LedgerBooks(journal, ledger, shipper, attached, health);
    }
}
