import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useLayoutEffect, useRef, useState } from "react";
import { useNarrow } from "./useNarrow";

export interface Column<T> {
  title: string;
  /** Where titles are not all different. */
  key?: string;
  cell: (row: T) => ReactNode;
  className?: string;
  /** Such as 30% or 120px; left out: a share of what is left. */
  width?: string;
  /** Left out on a narrow page. */
  isExtra?: boolean;
}

interface VirtualTableProps<T> {
  label: string;
  rows: readonly T[];
  columns: readonly Column<T>[];
  keyOf: (row: T) => string | number;
  rowHeight?: number;
  /** Below a row that is open: all columns wide. */
  detail?: (row: T) => ReactNode;
  /** Called when the last rows come into view. */
  onEnd?: (() => void) | undefined;
  /** Of the whole table, in pixels; a narrower page scrolls it. */
  minWidth?: number;
}

const FEW = 60;

/**
 * A table of any length that scrolls with the page. Only the rows in view are in the document; a short one is there
 * whole, so that the browser's own search finds everything in it.
 */
export function VirtualTable<T>({
  label,
  rows,
  columns: allColumns,
  keyOf,
  rowHeight = 41,
  detail,
  onEnd,
  minWidth,
}: VirtualTableProps<T>) {
  const isNarrow = useNarrow();
  const columns = isNarrow ? allColumns.filter((column) => column.isExtra !== true) : allColumns;
  const frame = useRef<HTMLDivElement>(null);
  const [margin, setMargin] = useState(0);
  useLayoutEffect(() => {
    // Whatever grows above it moves it down.
    const measure = () => setMargin((frame.current?.getBoundingClientRect().top ?? 0) + window.scrollY);
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, []);

  const virtualizer = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => rowHeight,
    overscan: rows.length <= FEW ? FEW : 12,
    scrollMargin: margin,
    getItemKey: (index) => keyOf(rows[index] as T),
  });
  const items = virtualizer.getVirtualItems();
  const first = items[0];
  const last = items.at(-1);
  const before = first === undefined ? 0 : first.start - margin;
  const after = last === undefined ? 0 : virtualizer.getTotalSize() - (last.end - margin);

  const isAtEnd = last !== undefined && last.index >= rows.length - 1;
  useLayoutEffect(() => {
    if (isAtEnd) onEnd?.();
  }, [isAtEnd, onEnd, rows.length]);

  return (
    <div className="table-scroll" ref={frame} role="region" aria-label={label} tabIndex={0}>
      <table className="table fixed" style={{ minWidth }} aria-label={label} aria-rowcount={rows.length + 1}>
        <colgroup>
          {columns.map((column) => (
            <col key={column.key ?? column.title} className={column.className} style={{ width: column.width }} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <th key={column.key ?? column.title} scope="col" className={column.className}>
                <div className="cut" title={column.title}>
                  {column.title}
                </div>
              </th>
            ))}
          </tr>
        </thead>
        {before > 0 && <Spacer height={before} columns={columns.length} />}
        {items.map((item) => {
          const row = rows[item.index] as T;
          const below = detail?.(row);
          return (
            // A body for each row: it is measured with what is open below it.
            <tbody key={item.key} ref={virtualizer.measureElement} data-index={item.index}>
              <tr aria-rowindex={item.index + 2}>
                {columns.map((column) => (
                  <td key={column.key ?? column.title} className={column.className}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
              {below !== undefined && below !== null && (
                <tr className="event-detail">
                  <td colSpan={columns.length}>{below}</td>
                </tr>
              )}
            </tbody>
          );
        })}
        {after > 0 && <Spacer height={after} columns={columns.length} />}
      </table>
    </div>
  );
}

function Spacer({ height, columns }: { height: number; columns: number }) {
  return (
    <tbody aria-hidden>
      <tr className="spacer">
        <td colSpan={columns} style={{ height }} />
      </tr>
    </tbody>
  );
}
