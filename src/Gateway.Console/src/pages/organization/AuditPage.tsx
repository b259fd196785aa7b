import { Alert, Button, Group, Text, TextInput } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../../api/client";
import { formatJson } from "../../api/exact";
import { paths } from "../../api/queries";
import type { AuditCheck, AuditPage as Page, AuditRow, MyOrganization } from "../../api/types";
import { browserZone, formatTime, plural } from "../../format";
import { OfOrganization } from "../../parts/OfOrganization";
import { EmptyState, ErrorState, Loading, PageHead } from "../../parts/States";
import { useChange } from "../../parts/useChange";
import { type Column, VirtualTable } from "../../parts/VirtualTable";
import { isAdmin } from "../../session";

/** Who did what, when and from where; and whether anybody has changed that since. */
export function AuditPage() {
  return (
    <OfOrganization>
      {(organization) =>
        isAdmin(organization) ? (
          <Audit organization={organization} />
        ) : (
          <EmptyState title="For admins">The audit log is read by the organization&apos;s admins and owners.</EmptyState>
        )
      }
    </OfOrganization>
  );
}

function Audit({ organization }: { organization: MyOrganization }) {
  const path = `${paths.organization(organization.id)}audit_log/`;
  const log = useInfiniteQuery({
    queryKey: ["organization", organization.id, "audit"],
    queryFn: ({ pageParam, signal }) => call<Page>("GET", pageParam, { signal }),
    initialPageParam: `${path}?limit=100`,
    getNextPageParam: (last) => last.next,
    refetchOnWindowFocus: false,
  });
  const [noted, setNoted] = useState({ count: "", hash: "" });
  const check = useChange(
    () => {
      const query = noted.hash === "" ? "" : `?${new URLSearchParams(noted).toString()}`;
      return call<AuditCheck>("GET", `${path}check/${query}`);
    },
    { keys: [] },
  );

  const rows = log.data?.pages.flatMap((page) => page.results) ?? [];
  return (
    <>
      <PageHead title="Audit log">
        <Button size="xs" variant="default" loading={check.isPending} onClick={() => check.mutate(undefined)}>
          Check the chain
        </Button>
      </PageHead>
      <Text c="dimmed" mb="md">
        Each row holds the hash of the one before it, so that a row that somebody changed or took away shows.
      </Text>
      <details className="details">
        <summary>Check against an end that was noted down before</summary>
        <div className="controls">
          <TextInput
            label="Rows"
            inputMode="numeric"
            value={noted.count}
            onChange={(change) => setNoted({ ...noted, count: change.currentTarget.value })}
          />
          <TextInput
            className="grow"
            label="Hash"
            value={noted.hash}
            onChange={(change) => setNoted({ ...noted, hash: change.currentTarget.value.trim() })}
          />
        </div>
      </details>
      {check.data !== undefined && <CheckResult check={check.data} />}
      {log.isPending ? (
        <Loading />
      ) : log.isError && rows.length === 0 ? (
        <ErrorState error={log.error} onRetry={log.refetch} />
      ) : (
        <VirtualTable
          label="Audit log"
          rows={rows}
          columns={columns}
          keyOf={(row) => row.number}
          minWidth={760}
          rowHeight={60}
          onEnd={
            log.hasNextPage && !log.isFetchingNextPage && !log.isFetchNextPageError
              ? () => void log.fetchNextPage()
              : undefined
          }
        />
      )}
      {log.isFetchNextPageError && <ErrorState error={log.error} onRetry={log.fetchNextPage} />}
    </>
  );
}

function CheckResult({ check }: { check: AuditCheck }) {
  return check.intact ? (
    <Alert color="green" mb="md" role="status" title="The chain is whole">
      <Text size="sm">{plural(check.head.count, "row")}. To be able to tell later that none is missing, note down its end:</Text>
      <code className="value">{check.head.hash}</code>
    </Alert>
  ) : (
    <Alert color="red" mb="md" role="alert" title={`The chain is broken at row ${check.first_bad ?? "?"}`}>
      {check.reason}
    </Alert>
  );
}

const columns: Column<AuditRow>[] = [
  { title: "No.", width: "70px", className: "number", cell: (row) => row.number },
  {
    title: "Time",
    width: "170px",
    cell: (row) => <time dateTime={row.at} className="number">{formatTime(row.at, browserZone)}</time>,
  },
  {
    title: "Who",
    cell: (row) => (
      <>
        <div className="wrap">{row.actor}</div>
        <Text size="xs" c="dimmed" className="wrap">
          {row.via} {row.ip}
        </Text>
      </>
    ),
  },
  {
    title: "What",
    cell: (row) => (
      <Group gap={4}>
        <span className="wrap">{row.action}</span>
        <Text size="xs" c="dimmed" className="wrap">
          {row.target}
        </Text>
      </Group>
    ),
  },
  { title: "Details", width: "30%", cell: (row) => <span className="value">{detailText(row.detail)}</span> },
];

function detailText(detail: unknown): string {
  return typeof detail === "string" ? detail : formatJson(detail).replace(/\s+/g, " ");
}
