/** What is asked on the explore page: as its address holds it, and as the API takes it. */

import { type PropertyFilter, toApiFilters, type TrendsQuery } from "../../api/events";
import { readFilters } from "../../parts/PropertyFilters";

export type Display = "line" | "bar" | "number" | "table";
export type Interval = "hour" | "day" | "week" | "month";
export type MathKind = "total" | "dau";

export interface Series {
  /** Empty: all events. */
  event: string;
  math: MathKind;
}

export interface Trends {
  series: Series[];
  filters: PropertyFilter[];
  breakdown: string;
  interval: Interval;
  from: string;
  /** Empty: until now. */
  to: string;
  display: Display;
}

export const displays: { value: Display; label: string }[] = [
  { value: "line", label: "Line" },
  { value: "bar", label: "Bar" },
  { value: "number", label: "Number" },
  { value: "table", label: "Table" },
];

export const intervals: { value: Interval; label: string }[] = [
  { value: "hour", label: "Hour" },
  { value: "day", label: "Day" },
  { value: "week", label: "Week" },
  { value: "month", label: "Month" },
];

export const ranges = [
  { value: "-24h", label: "Last 24 hours" },
  { value: "-7d", label: "Last 7 days" },
  { value: "-14d", label: "Last 14 days" },
  { value: "-30d", label: "Last 30 days" },
  { value: "-90d", label: "Last 90 days" },
  { value: "-12m", label: "Last 12 months" },
  { value: "custom", label: "From … to …" },
];

export const MOST_SERIES = 10;

export const standard: Trends = {
  series: [{ event: "", math: "total" }],
  filters: [],
  breakdown: "",
  interval: "day",
  from: "-7d",
  to: "",
  display: "line",
};

/** From an address, which anybody may have written: what is not understood is as at first. */
export function readTrends(text: string | null): Trends {
  if (text === null) return standard;
  try {
    const given = JSON.parse(text) as Partial<Record<keyof Trends, unknown>>;
    const series = Array.isArray(given.series) ? given.series.filter(isSeries).slice(0, MOST_SERIES) : [];
    return {
      series: series.length > 0 ? series : standard.series,
      filters: readFilters(JSON.stringify(given.filters ?? [])),
      breakdown: textOr(given.breakdown, ""),
      interval: oneOf(intervals, given.interval, standard.interval),
      from: textOr(given.from, standard.from),
      to: textOr(given.to, ""),
      display: oneOf(displays, given.display, standard.display),
    };
  } catch {
    return standard;
  }
}

export function toQuery(trends: Trends): TrendsQuery {
  const filters = toApiFilters(trends.filters);
  return {
    kind: "TrendsQuery",
    series: trends.series.map(({ event, math }) => ({
      kind: "EventsNode",
      ...(event === "" ? {} : { event }),
      math,
    })),
    interval: trends.interval,
    dateRange: { date_from: trends.from, ...(trends.to === "" ? {} : { date_to: trends.to }) },
    ...(trends.breakdown === "" ? {} : { breakdownFilter: { breakdown: trends.breakdown } }),
    ...(filters.length > 0 ? { properties: filters } : {}),
  };
}

/** The API's own names for what is not a value; no property's value is spelled so. */
export function readableValue(label: string): string {
  return label
    .replace("$$_posthog_breakdown_null_$$", "(not set)")
    .replace("$$_posthog_breakdown_other_$$", "(all others)");
}

export function isPreset(from: string): boolean {
  return ranges.some(({ value }) => value === from);
}

function isSeries(value: unknown): value is Series {
  return (
    typeof value === "object" &&
    value !== null &&
    "event" in value &&
    typeof value.event === "string" &&
    "math" in value &&
    (value.math === "total" || value.math === "dau")
  );
}

function textOr(value: unknown, standardText: string): string {
  return typeof value === "string" ? value : standardText;
}

function oneOf<Value extends string>(choices: { value: Value }[], value: unknown, standardValue: Value): Value {
  return choices.find((choice) => choice.value === value)?.value ?? standardValue;
}
