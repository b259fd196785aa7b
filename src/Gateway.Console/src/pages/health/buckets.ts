import { formatClock, formatTime } from "../../format";

const MINUTE = 60_000;

export interface Buckets {
  /** The beginning of each, as it is shown. */
  times: string[];
  /** In minutes. */
  width: number;
  /** Which one a minute lies in; below 0 or beyond the last: in none. */
  bucketOf: (minute: string) => number;
}

/** An hour by minutes, a day by quarters of an hour: as many as can be told apart. */
export function toBuckets(from: string, to: string, zone: string): Buckets {
  const start = Date.parse(from);
  const minutes = Math.round((Date.parse(to) - start) / MINUTE);
  const width = minutes <= 120 ? 1 : 15;
  const show = minutes <= 24 * 60 ? formatClock : formatTime;
  return {
    times: Array.from({ length: Math.ceil(minutes / width) }, (_, index) => show(start + index * width * MINUTE, zone)),
    width,
    bucketOf: (minute) => Math.floor((Date.parse(minute) - start) / MINUTE / width),
  };
}
