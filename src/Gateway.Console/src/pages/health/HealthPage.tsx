import { Alert, SegmentedControl, Text, Title } from "@mantine/core";
import { IconCircleCheckFilled } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useFreshness, useHealth, useLedger } from "../../api/queries";
import type { Health, Ledger, MyProject } from "../../api/types";
import { formatNumber, formatSeconds, plural } from "../../format";
import { Plot, type PlotSeries } from "../../parts/Plot";
import { ProjectPage } from "../../parts/ProjectPage";
import { Answered, PageHead } from "../../parts/States";
import { LedgerTable } from "./LedgerTable";
import { refusalName } from "./refusals";
import { toBuckets } from "./buckets";

const ranges = [
  { value: "60", label: "Last hour" },
  { value: "1440", label: "Last day" },
];

/** What became of the project's events, how soon, and what was refused. */
export function HealthPage() {
  return <ProjectPage>{(project) => <HealthOf project={project} />}</ProjectPage>;
}

function HealthOf({ project }: { project: MyProject }) {
  const [minutes, setMinutes] = useState(60);
  const ledger = useLedger(project.id, minutes);
  const health = useHealth(project.id, minutes);
  const freshness = useFreshness(project.id);

  return (
    <>
      <PageHead title="Health">
        <SegmentedControl
          size="xs"
          aria-label="Range"
          data={ranges}
          value={String(minutes)}
          onChange={(value) => setMinutes(Number(value))}
        />
      </PageHead>
      <Answered query={ledger}>
        {(books) => (
          <>
            <Books ledger={books} />
            <div className="tiles">
              <Tile label="Accepted" value={formatNumber(books.totals.accepted)} hint="answered 200: on disk" />
              <Tile label="Waiting" value={formatNumber(books.totals.waiting)} hint="in the journal, on their way" />
              <Tile
                label="Freshness, median"
                value={formatSeconds(freshness.data?.p50_seconds)}
                hint="of the last five to ten minutes: from receipt to where queries see it"
              />
              <Tile label="Freshness, p99" value={formatSeconds(freshness.data?.p99_seconds)} hint="99 of 100 events, of the same minutes" />
            </div>
            <Answered query={health}>{(past) => <Plots project={project} ledger={books} health={past} />}</Answered>
            <LedgerTable ledger={books} zone={project.timezone} />
          </>
        )}
      </Answered>
    </>
  );
}

function Tile({ label, value, hint }: { label: string; value: string; hint: string }) {
  return (
    <div className="tile">
      <div className="tile-label">{label}</div>
      <div className="tile-value">{value}</div>
      <Text size="xs" c="dimmed">
        {hint}
      </Text>
    </div>
  );
}

/** The one sentence that matters: whether all that was accepted is accounted for. */
function Books({ ledger }: { ledger: Ledger }) {
  const { accepted, shipped, quarantined, erased, waiting, damaged, missed } = ledger.totals;
  const sum = `${formatNumber(accepted)} accepted = ${formatNumber(shipped)} shipped + ${formatNumber(quarantined)} quarantined + ${formatNumber(erased)} erased + ${formatNumber(waiting)} waiting + ${formatNumber(damaged)} damaged`;
  const isWhole = accepted === shipped + quarantined + erased + waiting + damaged;
  if (ledger.alarm || !isWhole) {
    return (
      <Alert color="red" role="alert" title={ledger.alarm ? "Something was lost" : "The books do not balance"} mb="md">
        <Text size="sm">{sum}.</Text>
        <Text size="sm">
          {damaged > 0 && `${plural(damaged, "event")} could not be read from the journal. `}
          {missed > 0 && `${plural(missed, "event")} had gone from the store and were shipped again. `}
          {ledger.lost_records > 0 && `${plural(ledger.lost_records, "request")} of whatever project cannot be read. `}
          Look at the gateway&apos;s disk and log, and tell whoever runs it.
        </Text>
      </Alert>
    );
  }
  return (
    <div className="card books">
      <IconCircleCheckFilled className="good" size={22} aria-hidden />
      <div>
        <Text fw={600}>The books balance</Text>
        <Text size="sm" c="dimmed" className="number">
          {sum}
        </Text>
      </div>
    </div>
  );
}

interface PlotsProps {
  project: MyProject;
  ledger: Ledger;
  health: Health;
}

function Plots({ project, ledger, health }: PlotsProps) {
  const plots = useMemo(() => seriesOf(ledger, health, project.timezone), [ledger, health, project.timezone]);
  const { times, width } = plots;
  const every = width === 1 ? "a minute" : `${width} minutes`;
    return (
    <div className="plots">
      <PlotCard title={`Events accepted, in ${every}`} times={times} series={plots.accepted} kind="bar" />
      <PlotCard title="Freshness" times={times} series={plots.freshness} kind="line" format={formatSeconds} />
      <PlotCard title="Waiting in the journal" times={times} series={plots.waiting} kind="line" />
      <PlotCard
        title={`Requests refused, in ${every}`}
        times={times}
        series={plots.refused}
        kind="stack"
        empty={plots.refused.length === 0 ? "No request of this project was refused." : undefined}
      />
      <Unattributed health={health} />
    </div>
  );
}

interface PlotCardProps {
  title: string;
  times: string[];
  series: PlotSeries[];
  kind: "line" | "bar" | "stack";
  format?: (value: number) => string;
  empty?: string | undefined;
}

function PlotCard({ title, times, series, kind, format, empty }: PlotCardProps) {
  return (
    <section className="card" aria-label={title}>
      <Title order={2} size="h5" mb="xs">
        {title}
      </Title>
      {empty !== undefined ? (
        <Text size="sm" c="dimmed">
          {empty}
        </Text>
      ) : (
        <Plot
          label={`${title}, from ${times[0] ?? ""} to ${times.at(-1) ?? ""}. ${told(series, format ?? formatNumber)}`}
          times={times}
          series={series}
          kind={kind}
          height={200}
          {...(format ? { format } : {})}
        />
      )}
    </section>
  );
}

/** The figures that one would look for, for those who cannot look. */
function told(series: PlotSeries[], format: (value: number) => string): string {
  return series
    .map(({ label, values }) => {
      const known = values.filter((value) => value !== null);
      const last = known.at(-1);
      return last === undefined
        ? `${label}: no figures`
        : `${label}: at most ${format(known.reduce((most, value) => Math.max(most, value), 0))}, lately ${format(last)}`;
    })
    .join("; ");
}

/** Whose these were nobody can say; but who is missing events finds a mistyped token here. */
function Unattributed({ health }: { health: Health }) {
  const found = Object.entries(health.unattributed).filter(([, count]) => count > 0);
  return (
    <section className="card" aria-label="Refused without a project">
      <Title order={2} size="h5" mb="xs">
        Refused without a project
      </Title>
      <Text size="sm" c="dimmed" mb="xs">
        Requests at this gateway whose token names no project. If events of yours are missing, look at the token in your
        app.
      </Text>
      {found.length === 0 ? (
        <Text size="sm">None.</Text>
      ) : (
        found.map(([reason, count]) => (
          <Text key={reason} size="sm" className="number">
            {plural(count, "request")}: {refusalName(reason)}
          </Text>
        ))
      )}
    </section>
  );
}

function seriesOf(ledger: Ledger, health: Health, zone: string) {
  const { times, width, bucketOf } = toBuckets(ledger.from, ledger.to, zone);
  const empty = () => new Array<number>(times.length).fill(0);
  const accepted = empty();
  for (const { minute, counts } of ledger.minutes) add(accepted, bucketOf(minute), counts.accepted);

  const waiting = empty();
  const p50 = new Array<number | null>(times.length).fill(null);
  const p99 = new Array<number | null>(times.length).fill(null);
  const refused = new Map(Object.keys(health.refused).map((reason) => [reason, empty()]));
  for (const minute of health.minutes) {
    const bucket = bucketOf(minute.minute);
    if (bucket < 0 || bucket >= times.length) continue;

    // Of several minutes the worst is shown: an average would hide it.
    waiting[bucket] = Math.max(waiting[bucket] ?? 0, minute.waiting);
    p50[bucket] = greater(p50[bucket], minute.p50_seconds);
    p99[bucket] = greater(p99[bucket], minute.p99_seconds);
    for (const [reason, count] of Object.entries(minute.refused)) add(refused.get(reason) ?? [], bucket, count);
  }

  return {
    times,
    width,
    accepted: [{ label: "Accepted", values: accepted }],
    waiting: [{ label: "Waiting", values: waiting }],
    freshness: [
      { label: "Median", values: p50 },
      { label: "p99", values: p99 },
    ],
    refused: [...refused].map(([reason, values]) => ({ label: refusalName(reason), values })),
  };
}

function add(values: number[], bucket: number, count: number): void {
  const before = values[bucket];
  if (before !== undefined) values[bucket] = before + count;
}

function greater(left: number | null | undefined, right: number | null): number | null {
  return left === null || left === undefined ? right : right === null ? left : Math.max(left, right);
}
