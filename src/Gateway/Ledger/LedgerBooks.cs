using Gateway.Core.Journal;
using Gateway.Core.Ledger;
using Gateway.Core.Shipping;

namespace Gateway.Ledger;

/// <summary>What the endpoints of this folder read; there once the journal is recovered.</summary>
internal sealed record LedgerBooks(EventJournal Journal, EventLedger Ledger, Shipper Shipper);
