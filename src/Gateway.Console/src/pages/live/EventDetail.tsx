import { ActionIcon, Group, Text, Tooltip } from "@mantine/core";
import { IconFilter } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { call } from "../../api/client";
import type { PropertyFilter } from "../../api/events";
import { ExactNumber, formatJson } from "../../api/exact";
import { paths } from "../../api/queries";
import type { MyProject } from "../../api/types";
import { formatPrecise } from "../../format";
import { CopyButton } from "../../parts/Copy";
import { Answered } from "../../parts/States";
import type { LiveEvent } from "./LiveFeed";

interface EventDetailProps {
  project: MyProject;
  event: LiveEvent;
  onFilter: (filter: PropertyFilter) => void;
  onDistinctId: (distinctId: string) => void;
}

interface WholeEvent {
  properties: Record<string, unknown>;
}

/** Everything that an event holds, as it was sent. */
export function EventDetail({ project, event, onFilter, onDistinctId }: EventDetailProps) {
  const whole = useQuery({
    queryKey: ["project", project.id, "event", event.uuid],
    queryFn: ({ signal }) =>
      call<WholeEvent>("GET", `${paths.project(project.id)}events/${event.uuid}/`, { signal }),
    staleTime: Infinity,
  });

  return (
    <Answered query={whole}>
      {({ properties }) => (
        <>
          <dl className="properties">
            <Row name="event">
              <span className="value">{event.event}</span>
            </Row>
            <Row name="distinct_id">
              <span className="value">{event.distinctId}</span>
              <FilterIcon label="Only this distinct id" onClick={() => onDistinctId(event.distinctId)} />
            </Row>
            <Row name="timestamp">{formatPrecise(event.timestamp, project.timezone)}</Row>
            <Row name="received">{formatPrecise(event.receivedAt, project.timezone)}</Row>
            <Row name="uuid">
              <span className="value">{event.uuid}</span>
            </Row>
          </dl>
          <Text size="sm" fw={600} mt="sm" mb={4}>
            Properties
          </Text>
          {Object.keys(properties).length === 0 ? (
            <Text size="sm" c="dimmed">
              None
            </Text>
          ) : (
            <dl className="properties" aria-label="Properties">
              {Object.entries(properties).map(([key, value]) => (
                <Row key={key} name={key}>
                  <span className="value">{typeof value === "string" ? value : formatJson(value)}</span>
                  {isScalar(value) && (
                    <FilterIcon
                      label={`Only events with this ${key}`}
                      onClick={() => onFilter({ key, operator: "exact", value: String(value) })}
                    />
                  )}
                </Row>
              ))}
            </dl>
          )}
          <Group mt="sm">
            <CopyButton text={formatJson(properties)} label="Copy properties" />
          </Group>
        </>
      )}
    </Answered>
  );
}

function Row({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>
        <Group gap={4} wrap="nowrap" align="flex-start">
          {children}
        </Group>
      </dd>
    </>
  );
}

function FilterIcon({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" size="sm" aria-label={label} onClick={onClick}>
        <IconFilter size={13} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}

function isScalar(value: unknown): boolean {
  return (
    (typeof value === "string" && value !== "") ||
    typeof value === "number" ||
    typeof value === "boolean" ||
    value instanceof ExactNumber
  );
}
