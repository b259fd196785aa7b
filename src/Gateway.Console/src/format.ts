/** Times, numbers and words as people read them. */

const formats = new Map<string, Intl.DateTimeFormat>();

/** In the zone given, to the second: 2026-03-01 10:00:00. */
export function formatTime(time: string | number | Date, zone: string): string {
  return format(new Date(time), zone, { dateStyle: "short", timeStyle: "medium" });
}

export function formatDay(time: string | number | Date, zone: string): string {
  return format(new Date(time), zone, { dateStyle: "short" });
}

export function formatClock(time: string | number | Date, zone: string): string {
  return format(new Date(time), zone, { timeStyle: "short" });
}

/** An event's time is shown with its milliseconds: they tell what came first. */
export function formatPrecise(time: string, zone: string): string {
  const milliseconds = /\.(\d{3})/.exec(time)?.[1] ?? "000";
  return `${formatTime(time, zone)}.${milliseconds}`;
}

export function formatNumber(value: number): string {
  return value.toLocaleString("en-US");
}

export function formatSeconds(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 120) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return `${Math.round(seconds / 60)} min`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`;
}

/** For a shell: whatever the text holds, it is one word. */
export function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

export const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

// A time that is none is no reason to show nothing.
function format(time: Date, zone: string, style: Intl.DateTimeFormatOptions): string {
  const key = `${zone} ${JSON.stringify(style)}`;
  let found = formats.get(key);
  if (found === undefined) {
    found = formatOf(zone, style);
    formats.set(key, found);
  }
  return Number.isNaN(time.getTime()) ? "–" : found.format(time);
}

// Sweden's dates are ISO's, which sort and need no guessing.
function formatOf(zone: string, style: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat("sv-SE", { ...style, timeZone: zone });
  } catch {
    // Newer than this browser's list: UTC, and it says so.
    return new Intl.DateTimeFormat("sv-SE", {
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      timeZone: "UTC",
      timeZoneName: "short",
    });
  }
}
