import { Checkbox, Table, Text } from "@mantine/core";
import { useMemo, useState } from "react";
import type { TrendsResult } from "../../api/types";
import { formatNumber, plural } from "../../format";
import { Plot, useColors } from "../../parts/Plot";
import { VirtualTable } from "../../parts/VirtualTable";
import { type Display, type Interval, readableValue } from "./trends";

interface TrendsViewProps {
  results: TrendsResult[];
  display: Display;
  interval: Interval;
}

interface Line {
  id: number;
  label: string;
  total: number;
  /** Who came on two days counts twice: a sum of unique ids is said to be one. */
  isSumOfUnique: boolean;
  values: number[];
}

export function TrendsView({ results, display, interval }: TrendsViewProps) {
  const lines = useMemo(
    () =>
      results.map((result, id): Line => ({
        id,
        label: readableValue(result.label),
        total: result.count,
        isSumOfUnique: result.action.math === "dau",
        values: result.data,
      })),
    [results],
  );
  const times = results[0]?.labels ?? [];

  if (display === "number") return <Numbers lines={lines} interval={interval} />;
  if (display === "table") return <Buckets lines={lines} times={times} />;
  return <Chart lines={lines} times={times} interval={interval} isBar={display === "bar"} />;
}

function Numbers({ lines, interval }: { lines: Line[]; interval: Interval }) {
  return (
    <div className="big-numbers">
      {lines.map((line) => (
        <div key={line.id}>
          <div className="big-number">{formatNumber(line.total)}</div>
          <Text c="dimmed" className="wrap">
            {line.label}
            {line.isSumOfUnique && `: unique ids of each ${interval}, added up`}
          </Text>
        </div>
      ))}
    </div>
  );
}

interface ChartProps {
  lines: Line[];
  times: string[];
  interval: Interval;
  isBar: boolean;
}

function Chart({ lines, times, interval, isBar }: ChartProps) {
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const colorOf = useColors();
  const series = useMemo(
    () =>
      lines.map(({ id, label, values }) => ({
        label: `${label}${duplicate(lines, id) ? ` (${id + 1})` : ""}`,
        values: hidden.has(`${id} ${label}`) ? values.map(() => null) : values,
      })),
    [lines, hidden],
  );

  function toggle(key: string) {
    const next = new Set(hidden);
    if (!next.delete(key)) next.add(key);
    setHidden(next);
  }

  return (
    <>
      <Plot
        label={`${plural(lines.length, "line")} over ${plural(times.length, "interval")}: ${describe(lines)}`}
        times={times}
        series={series}
        kind={isBar ? "stack" : "line"}
        height={340}
      />
      <div className="table-scroll plot-table" role="region" aria-label="Lines" tabIndex={0}>
        <Table verticalSpacing={4} fz="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Shown</Table.Th>
              <Table.Th>Line</Table.Th>
              <Table.Th ta="right">Total</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {lines.map((line) => {
              const key = `${line.id} ${line.label}`;
              return (
                <Table.Tr key={line.id}>
                  <Table.Td w={70}>
                    <Checkbox
                      aria-label={`Show ${line.label}`}
                      checked={!hidden.has(key)}
                      onChange={() => toggle(key)}
                      size="xs"
                    />
                  </Table.Td>
                  <Table.Td>
                    <span className="swatch" style={{ background: colorOf(line.id) }} />{" "}
                    <span className="wrap">{line.label}</span>
                    {line.isSumOfUnique && (
                      <Text span size="xs" c="dimmed">
                        {" "}
                        unique ids of each {interval}, added up
                      </Text>
                    )}
                  </Table.Td>
                  <Table.Td ta="right" className="number">
                    {formatNumber(line.total)}
                  </Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      </div>
    </>
  );
}

interface Bucket {
  index: number;
  time: string;
}

function Buckets({ lines, times }: { lines: Line[]; times: string[] }) {
  const rows = useMemo(() => times.map((time, index): Bucket => ({ index, time })), [times]);
  return (
    <VirtualTable
      label="Counts"
      rows={rows}
      keyOf={(row) => row.index}
      minWidth={160 + lines.length * 130}
      columns={[
        { title: "Time", key: "time", width: "160px", cell: (row) => <span className="number">{row.time}</span> },
        ...lines.map((line) => ({
          title: line.label,
          key: String(line.id),
          className: "end",
          cell: (row: Bucket) => <span className="number">{formatNumber(line.values[row.index] ?? 0)}</span>,
        })),
      ]}
    />
  );
}

/** Two series may have the same name: all events, counted twice. */
function duplicate(lines: Line[], id: number): boolean {
  return lines.some((line) => line.id !== id && line.label === lines[id]?.label);
}

function describe(lines: Line[]): string {
  const told = lines.slice(0, 5).map((line) => `${line.label}, ${formatNumber(line.total)} in all`);
  return lines.length > told.length ? `${told.join("; ")}; and more below` : told.join("; ");
}
