/**
 * JSON as it was sent: an id of twenty digits is shown with all of them. A number that JavaScript would change becomes
 * an {@link ExactNumber}, where the browser tells how it was written; all others are plain values.
 */
export class ExactNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  toString(): string {
    return this.source;
  }
}

type Reviver = (this: unknown, key: string, value: unknown, context?: { source?: string }) => unknown;

const exactly: Reviver = (_key, value, context) =>
  typeof value === "number" && context?.source !== undefined && isChanged(value, context.source)
    ? new ExactNumber(context.source)
    : value;

export function parseExact(text: string): unknown {
  return JSON.parse(text, exactly);
}

/** The same as text, each level on lines of its own. */
export function formatJson(value: unknown, indent = ""): string {
  if (value instanceof ExactNumber) return value.source;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);

  const inner = `${indent}  `;
  const [open, close, parts] = Array.isArray(value)
    ? ["[", "]", value.map((item) => formatJson(item, inner))]
    : ["{", "}", Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${formatJson(item, inner)}`)];
  if (parts.length === 0) return open + close;
  return `${open}\n${parts.map((part) => inner + part).join(",\n")}\n${indent}${close}`;
}

/** Only long ones can be: fifteen digits always fit. */
function isChanged(value: number, source: string): boolean {
  return source.length > 15 && String(value) !== source;
}
