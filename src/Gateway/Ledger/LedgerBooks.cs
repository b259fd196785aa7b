using Gateway.Core.Journal;
using Gateway.Core.Ledger;
using Gateway.Core.Shipping;

namespace Gateway.Ledger;

/// <summary>What the endpoints of this folder read; there once the journal is recovered.</summary>
/// <param name="Journal">Our own.</param>
/// <param name="Ledger">Its books.</param>
/// <param name="Shipper">Its shipper.</param>
/// <param name="Attached">The books of journals that other gateways left to us.</param>
internal sealed record LedgerBooks(
    EventJournal Journal, EventLedger Ledger, Shipper Shipper, IReadOnlyList<EventLedger> Attached)
{
    public IEnumerable<EventLedger> All => Attached.Prepend(Ledger);
}
