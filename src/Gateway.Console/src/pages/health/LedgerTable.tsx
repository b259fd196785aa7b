import { Title } from "@mantine/core";
import type { Ledger, LedgerCounts } from "../../api/types";
import { formatNumber, formatTime } from "../../format";
import { EmptyState } from "../../parts/States";
import { type Column, VirtualTable } from "../../parts/VirtualTable";

type Minute = Ledger["minutes"][number];

const shown: { title: string; of: (counts: LedgerCounts) => number | null; className?: string }[] = [
  { title: "Accepted", of: (counts) => counts.accepted },
  { title: "Stored", of: (counts) => counts.stored },
  { title: "Duplicates", of: (counts) => counts.duplicates },
  { title: "Quarantined", of: (counts) => counts.quarantined },
  { title: "Erased", of: (counts) => counts.erased },
  { title: "Waiting", of: (counts) => counts.waiting },
  { title: "Refused", of: (counts) => counts.refused },
  { title: "Damaged", of: (counts) => counts.damaged },
  { title: "Missed", of: (counts) => counts.missed },
];

/** The ledger itself, the latest minute first. */
export function LedgerTable({ ledger, zone }: { ledger: Ledger; zone: string }) {
  if (ledger.minutes.length === 0) {
    return (
      <div className="spaced">
        <EmptyState title="No events in this range">
          What arrives is counted here by minute, within seconds.
        </EmptyState>
      </div>
    );
  }

  const columns: Column<Minute>[] = [
    {
      title: "Minute",
      width: "160px",
      cell: ({ minute }) => <span className="number">{formatTime(minute, zone).slice(0, 16)}</span>,
    },
    ...shown.map(({ title, of }) => ({
      title,
      className: "end",
      cell: ({ counts }: Minute) => <span className="number">{numberOrUnknown(of(counts))}</span>,
    })),
  ];
  return (
    <section aria-label="Ledger" className="spaced">
      <Title order={2} size="h4" mb="xs">
        Ledger, by minute of receipt
      </Title>
      <VirtualTable
        label="Ledger by minute"
        rows={[...ledger.minutes].reverse()}
        columns={columns}
        keyOf={({ minute }) => minute}
        minWidth={1060}
      />
    </section>
  );
}

/** Null: the store cannot be asked. */
function numberOrUnknown(value: number | null): string {
  return value === null ? "?" : formatNumber(value);
}
