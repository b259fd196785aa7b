import { Badge, Button, Group, SegmentedControl, Text } from "@mantine/core";
import { useWindowScroll } from "@mantine/hooks";
import { IconChevronDown, IconChevronRight, IconPlayerPause, IconPlayerPlay } from "@tabler/icons-react";
import { useState } from "react";
import { Link, useSearchParams } from "wouter";
import { type PropertyFilter, toApiFilters } from "../../api/events";
import type { MyProject } from "../../api/types";
import { formatPrecise, formatSeconds, formatTime, plural } from "../../format";
import { ProjectPage } from "../../parts/ProjectPage";
import { readFilters } from "../../parts/PropertyFilters";
import { EmptyState, ErrorState, Loading, messageOf, PageHead } from "../../parts/States";
import { useNarrow } from "../../parts/useNarrow";
import { type Column, VirtualTable } from "../../parts/VirtualTable";
import { projectPath } from "../../session";
import { EventDetail } from "./EventDetail";
import { type Filters, LiveFilters } from "./LiveFilters";
import type { LiveEvent } from "./LiveFeed";
import { useLiveEvents } from "./useLiveEvents";

const ranges = [
  { value: "-1h", label: "Hour" },
  { value: "-24h", label: "Day" },
  { value: "-30d", label: "Month" },
  { value: "all", label: "All" },
];

const standard = "-24h";

export function LivePage() {
  return <ProjectPage>{(project) => <Live project={project} />}</ProjectPage>;
}

function Live({ project }: { project: MyProject }) {
  const [params, setParams] = useSearchParams();
  const [isPaused, setPaused] = useState(false);
  const [open, setOpen] = useState<string | null>(null);
  const [{ y }, scrollTo] = useWindowScroll();
  const isNarrow = useNarrow();

  const filters: Filters = {
    event: params.get("event") ?? "",
    distinctId: params.get("distinct_id") ?? "",
    properties: readFilters(params.get("properties")),
  };
  const since = params.get("since") ?? standard;
  const isHolding = isPaused || open !== null || y > 120;
  const [live, feed] = useLiveEvents(
    project.id,
    {
      event: filters.event === "" ? undefined : filters.event,
      distinct_id: filters.distinctId === "" ? undefined : filters.distinctId,
      properties: toApiFilters(filters.properties),
    },
    since,
    isHolding,
  );

  // The address holds them, so that a link to this view can be sent.
  const write = (next: Filters, range: string) => {
    const address: Record<string, string> = {};
    if (next.event !== "") address.event = next.event;
    if (next.distinctId !== "") address.distinct_id = next.distinctId;
    if (next.properties.length > 0) address.properties = JSON.stringify(next.properties);
    if (range !== standard) address.since = range;
    setOpen(null);
    setParams(address, { replace: true });
  };
  const addProperty = (filter: PropertyFilter) =>
    write({ ...filters, properties: [...filters.properties, filter] }, since);

  const isFiltered = filters.event !== "" || filters.distinctId !== "" || filters.properties.length > 0;
  return (
    <>
      <PageHead title="Live events">
        <Group gap="xs">
          <SegmentedControl
            size="xs"
            aria-label="How far back"
            data={ranges}
            value={since}
            onChange={(range) => write(filters, range)}
          />
          <Button
            size="xs"
            variant="default"
            aria-pressed={isPaused}
            leftSection={isPaused ? <IconPlayerPlay size={14} aria-hidden /> : <IconPlayerPause size={14} aria-hidden />}
            onClick={() => setPaused(!isPaused)}
          >
            {isPaused ? "Go on" : "Pause"}
          </Button>
        </Group>
      </PageHead>
      <LiveFilters project={project.id} value={filters} onChange={(next) => write(next, since)} />
      <Group my="sm" gap="sm" mih={30}>
        <Text size="sm" c="dimmed">
          {live.status === "ready" && `${plural(live.events.length, "event")}${live.hasOlder ? " so far" : ""}, `}
          {`times in ${project.timezone}`}
        </Text>
        <div role="status">
          {live.waiting > 0 && (
            <Button
              size="compact-sm"
              onClick={() => {
                setOpen(null);
                feed.release();
                scrollTo({ y: 0 });
              }}
            >
              {live.isWaitingMore ? `More than ${plural(live.waiting, "new event")}` : plural(live.waiting, "new event")}
            </Button>
          )}
        </div>
        {live.error !== null && live.status === "ready" && (
          <Text size="sm" c="red" role="alert">
            New events cannot be asked for just now: {messageOf(live.error)}
          </Text>
        )}
      </Group>
      {live.status === "loading" ? (
        <Loading label="Loading events" />
      ) : live.status === "failed" ? (
        <ErrorState error={live.error} onRetry={feed.start} />
      ) : live.events.length === 0 ? (
        <Nothing project={project} since={since} isFiltered={isFiltered} onAll={() => write(filters, "all")} />
      ) : (
        <VirtualTable
          label="Events"
          rows={live.events}
          columns={columnsFor(project.timezone, isNarrow, open, setOpen)}
          keyOf={(event) => event.key}
          detail={(event) =>
            event.key === open ? (
              <EventDetail
                project={project}
                event={event}
                onFilter={addProperty}
                onDistinctId={(distinctId) => write({ ...filters, distinctId }, since)}
              />
            ) : null
          }
          onEnd={live.hasOlder && !live.isLoadingOlder && live.olderError === null ? feed.loadOlder : undefined}
        />
      )}
      {live.olderError !== null && (
        <div className="spaced">
          <ErrorState error={live.olderError} onRetry={feed.loadOlder} />
        </div>
      )}
    </>
  );
}

function columnsFor(
  zone: string,
  isNarrow: boolean,
  open: string | null,
  setOpen: (key: string | null) => void,
): Column<LiveEvent>[] {
  return [
    {
      title: "Event",
      cell: (event) => (
        <button
          type="button"
          className="row-button"
          aria-expanded={event.key === open}
          onClick={() => setOpen(event.key === open ? null : event.key)}
        >
          {event.key === open ? <IconChevronDown size={14} aria-hidden /> : <IconChevronRight size={14} aria-hidden />}
          <span className="cut">{event.event}</span>
        </button>
      ),
    },
    {
      title: "Distinct id",
      isExtra: true,
      cell: (event) => <div className="cut">{event.distinctId}</div>,
    },
    {
      title: "Time",
      width: isNarrow ? "115px" : "190px",
      cell: (event) => (
        <time className="number" dateTime={event.timestamp} title={formatPrecise(event.timestamp, zone)}>
          {formatTime(event.timestamp, zone)}
        </time>
      ),
    },
    {
      title: "Received",
      width: "130px",
      isExtra: true,
      cell: (event) => <Lag event={event} />,
    },
  ];
}

/** Only what came late is worth a word: an event may say any time of itself. */
function Lag({ event }: { event: LiveEvent }) {
  const seconds = (Date.parse(event.receivedAt) - Date.parse(event.timestamp)) / 1000;
  if (Math.abs(seconds) < 60) return <span className="number">{formatSeconds(Math.abs(seconds))} {seconds < 0 ? "early" : "later"}</span>;
  return (
    <Badge variant="light" color="gray" tt="none">
      {lagText(seconds)}
    </Badge>
  );
}

function lagText(seconds: number): string {
  const size = Math.abs(seconds);
  const amount =
    size < 3600
      ? `${Math.round(size / 60)} min`
      : size < 172_800
        ? `${Math.round(size / 3600)} h`
        : `${Math.round(size / 86_400)} days`;
  return `${amount} ${seconds > 0 ? "later" : "early"}`;
}

interface NothingProps {
  project: MyProject;
  since: string;
  isFiltered: boolean;
  onAll: () => void;
}

function Nothing({ project, since, isFiltered, onAll }: NothingProps) {
  if (isFiltered) {
    return (
      <EmptyState title="No event fits">
        What comes and fits appears here by itself. Take filters away
        {since === "all" ? "." : <>, or <LookBack onAll={onAll} />.</>}
      </EmptyState>
    );
  }
  return (
    <EmptyState title="No events yet">
      What comes appears here by itself. <Link href={projectPath(project.id, "start")}>See how to send events</Link>
      {since === "all" ? "." : <>, or <LookBack onAll={onAll} />.</>}
    </EmptyState>
  );
}

function LookBack({ onAll }: { onAll: () => void }) {
  return (
    <Button size="compact-sm" variant="default" onClick={onAll}>
      look back to the first
    </Button>
  );
}
