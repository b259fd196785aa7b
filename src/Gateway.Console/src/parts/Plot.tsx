import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import { formatNumber } from "../format";

export interface PlotSeries {
  label: string;
  values: (number | null)[];
}

interface PlotProps {
  /** What is seen, in a sentence: for those who do not see it. */
  label: string;
  /** One for each value of a series. */
  times: string[];
  series: PlotSeries[];
  kind: "line" | "bar" | "stack";
  height?: number;
  format?: (value: number) => string;
}

const light = ["#4263eb", "#d9480f", "#2b8a3e", "#9c36b5", "#0b7285", "#c2255c", "#5c940d", "#862e9c", "#e67700", "#495057"];
const dark = ["#91a7ff", "#ffa94d", "#8ce99a", "#e599f7", "#66d9e8", "#faa2c1", "#c0eb75", "#d0bfff", "#ffe066", "#ced4da"];

export function useColors(): (index: number) => string {
  const colors = useComputedColorScheme("light") === "dark" ? dark : light;
  return (index) => colors[index % colors.length] ?? "#868e96";
}

/**
 * Lines or bars over time, drawn on a canvas: ten thousand points move without a delay. All words are in the page's
 * own text: the legend says what is where the pointer is, else each series' last value.
 */
export function Plot({ label, times, series, kind, height = 240, format = formatNumber }: PlotProps) {
  const host = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<number | null>(null);
  const scheme = useComputedColorScheme("light");
  const colorOf = useColors();
  const colors = scheme === "dark" ? dark : light;
  const data = useMemo(() => toData(times, series, kind), [times, series, kind]);

  useEffect(() => {
    const element = host.current;
    if (element === null) return;

    const plot = new uPlot(
      options({ kind, height, times, count: series.length, width: element.clientWidth, colors, scheme, format, setAt }),
      data,
      element,
    );
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [data, kind, height, times, series.length, colors, scheme, format]);

  const shown = at ?? times.length - 1;
  return (
    <figure className="plot">
      <div ref={host} role="img" aria-label={label} />
      <figcaption className="plot-legend">
        <span className="number">{times[shown] ?? ""}</span>
        {series.map((line, index) => {
          const value = line.values[shown];
          return (
            <span key={line.label} className="plot-legend-item">
              <span className="swatch" style={{ background: colorOf(index) }} />
              <span className="wrap">{line.label}</span>
              <b className="number">{value === null || value === undefined ? "–" : format(value)}</b>
            </span>
          );
        })}
      </figcaption>
    </figure>
  );
}

/** The axis is the bucket's number: hours that a time zone leaves out or has twice are buckets like others. */
function toData(times: string[], series: PlotSeries[], kind: PlotProps["kind"]): uPlot.AlignedData {
  const numbers = times.map((_, index) => index);
  if (kind !== "stack") return [numbers, ...series.map((line) => line.values)];

  // The tallest is drawn first, and each of the others over it.
  const sums = new Array<number>(times.length).fill(0);
  const stacked = series.map((line) => line.values.map((value, index) => (sums[index] = (sums[index] ?? 0) + (value ?? 0))));
  return [numbers, ...stacked.reverse()];
}

interface Drawing {
  kind: PlotProps["kind"];
  height: number;
  width: number;
  times: string[];
  count: number;
  colors: string[];
  scheme: "light" | "dark";
  format: (value: number) => string;
  setAt: (index: number | null) => void;
}

function options({ kind, height, width, times, count, colors, scheme, format, setAt }: Drawing): uPlot.Options {
  const text = scheme === "dark" ? "#c9c9c9" : "#495057";
  const grid = { stroke: scheme === "dark" ? "#3b3b3b" : "#e9ecef", width: 1 };
  const isBar = kind !== "line";
  const bars = uPlot.paths.bars?.({ size: [0.8, 60] });
  const font = "12px system-ui, sans-serif";
  return {
    width,
    height,
    padding: [8, 32, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { show: !isBar } },
    scales: {
      x: { time: false, range: (_, low, high) => (isBar || low === high ? [low - 0.5, high + 0.5] : [low, high]) },
      y: { range: (_, __, high) => [0, high > 0 ? high * 1.08 : 1] },
    },
    axes: [
      {
        stroke: text,
        grid: { show: false },
        ticks: grid,
        font,
        space: 90,
        incrs: [1, 2, 3, 5, 6, 7, 10, 12, 15, 20, 24, 30, 60, 120, 180, 240, 360, 720, 1440, 2880],
        values: (_, splits) => splits.map((split) => times[split] ?? ""),
      },
      {
        stroke: text,
        grid,
        ticks: grid,
        font,
        size: 64,
        values: (_, splits) => splits.map(format),
      },
    ],
    series: [
      {},
      ...Array.from({ length: count }, (_, place): uPlot.Series => {
        const index = kind === "stack" ? count - 1 - place : place;
        const color = colors[index % colors.length] ?? "#868e96";
        return {
          stroke: color,
          width: isBar ? 0 : 2,
          // Colours begin anew after ten lines: these are dashed.
          ...(!isBar && index >= colors.length ? { dash: [6, 4] } : {}),
          // A value between two that are missing has no line to be seen by.
          points: { show: !isBar && times.length <= 120, size: 5 },
          ...(isBar ? { fill: color, ...(bars ? { paths: bars } : {}) } : {}),
        };
      }),
    ],
    hooks: { setCursor: [(plot) => setAt(plot.cursor.idx ?? null)] },
  };
}
