import { ActionIcon, Autocomplete, Button, Group, Select, Stack, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useSuggestions } from "../../api/useSuggestions";
import type { MyProject } from "../../api/types";
import { formatDay } from "../../format";
import { PropertyFilters } from "../../parts/PropertyFilters";
import { intervals, isPreset, type MathKind, MOST_SERIES, ranges, type Series, type Trends } from "./trends";

const maths = [
  { value: "total", label: "Total events" },
  { value: "dau", label: "Unique ids" },
];

interface TrendsControlsProps {
  project: MyProject;
  trends: Trends;
  onChange: (part: Partial<Trends>) => void;
}

export function TrendsControls({ project, trends, onChange }: TrendsControlsProps) {
  const suggestions = useSuggestions(project.id);
  const changeSeries = (index: number, part: Partial<Series>) =>
    onChange({ series: trends.series.map((series, at) => (at === index ? { ...series, ...part } : series)) });

  return (
    <div className="card">
      <Stack gap="sm">
        {trends.series.map((series, index) => (
          <div className="series-row" role="group" aria-label={`Series ${index + 1}`} key={index}>
            <Autocomplete
              className="grow"
              label={index === 0 ? "Event" : undefined}
              aria-label="Event"
              placeholder="All events"
              data={suggestions.events}
              limit={50}
              value={series.event}
              onChange={(event) => changeSeries(index, { event })}
              clearable
            />
            <Select
              label={index === 0 ? "Count" : undefined}
              aria-label="Count"
              data={maths}
              value={series.math}
              onChange={(math) => math !== null && changeSeries(index, { math: math as MathKind })}
              allowDeselect={false}
              w={150}
            />
            {trends.series.length > 1 && (
              <ActionIcon
                variant="subtle"
                color="gray"
                size="lg"
                aria-label={`Remove series ${index + 1}`}
                onClick={() => onChange({ series: trends.series.filter((_, at) => at !== index) })}
              >
                <IconX size={16} aria-hidden />
              </ActionIcon>
            )}
          </div>
        ))}
        <Group gap="xs">
          {trends.series.length < MOST_SERIES && (
            <Button
              variant="default"
              size="xs"
              leftSection={<IconPlus size={14} aria-hidden />}
              onClick={() => onChange({ series: [...trends.series, { event: "", math: "total" }] })}
            >
              Add series
            </Button>
          )}
        </Group>
        <PropertyFilters
          value={trends.filters}
          onChange={(filters) => onChange({ filters })}
          keys={suggestions.properties}
        />
        <div className="controls">
          <Autocomplete
            className="grow"
            label="Break down by property"
            placeholder="None"
            data={suggestions.properties}
            limit={50}
            value={trends.breakdown}
            onChange={(breakdown) => onChange({ breakdown })}
            clearable
          />
          <Select
            label="Interval"
            data={intervals}
            value={trends.interval}
            onChange={(interval) => interval !== null && onChange({ interval: interval })}
            allowDeselect={false}
            w={110}
          />
          <DateRange zone={project.timezone} trends={trends} onChange={onChange} />
        </div>
      </Stack>
    </div>
  );
}

/** Either back from now, or from one day to another, both included. */
function DateRange({ zone, trends, onChange }: Omit<TrendsControlsProps, "project"> & { zone: string }) {
  const isCustom = !isPreset(trends.from);
  return (
    <>
      <Select
        label="Range"
        data={ranges}
        value={isCustom ? "custom" : trends.from}
        onChange={(from) => {
          if (from === "custom") onChange({ from: daysAgo(7, zone), to: daysAgo(0, zone) });
          else if (from !== null) onChange({ from, to: "" });
        }}
        allowDeselect={false}
        w={160}
      />
      {isCustom && (
        <>
          <TextInput
            type="date"
            label="From"
            value={trends.from}
            max={trends.to}
            onChange={(input) => input.currentTarget.value !== "" && onChange({ from: input.currentTarget.value })}
          />
          <TextInput
            type="date"
            label="To"
            value={trends.to}
            min={trends.from}
            onChange={(input) => onChange({ to: input.currentTarget.value })}
          />
        </>
      )}
    </>
  );
}

function daysAgo(days: number, zone: string): string {
  return formatDay(Date.now() - days * 86_400_000, zone);
}
