/** The gateway's public API, as everybody has it: JSON over fetch with the session's cookie. */

import { parseExact } from "./exact";

/** What the gateway answers to what it does not do; `detail` is for people, `attr` names the field at fault. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly attr: string | null;
  /** The whole answer: some refusals tell more than why. */
  readonly body: Record<string, unknown>;

  constructor(status: number, body: Record<string, unknown>) {
    super(typeof body.detail === "string" ? body.detail : `The gateway answered ${status}.`);
    this.name = "ApiError";
    this.status = status;
    this.code = typeof body.code === "string" ? body.code : "";
    this.attr = typeof body.attr === "string" ? body.attr : null;
    this.body = body;
  }
}

export type Method = "GET" | "POST" | "PATCH" | "DELETE";

export interface CallOptions {
  body?: unknown;
  /** In place of `body`: a text that is sent as it is. */
  raw?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** One list, as far as it was asked for. */
export interface Page<T> {
  count: number;
  next: string | null;
  results: T[];
}

/** What somebody has to know wherever it happens; set once, at the start. */
export const notices: {
  /** The session has ended. */
  unauthenticated: () => void;
  /** A change is recorded, and comes into force by itself: it must not be sent again. */
  recorded: (detail: string) => void;
} = { unauthenticated: () => undefined, recorded: () => undefined };

/** Who asks for this asks whether anybody is there: no is an answer. */
export const ME_PATH = "/api/users/@me/";

const CSRF_COOKIE = "gateway_csrftoken";

// How far the gateway's clock is ahead of this one, in milliseconds: its ranges are by its own.
let clockOffset = 0;

/** The gateway's time, to a second. */
export function gatewayNow(): number {
  return Date.now() + clockOffset;
}

/** What it answers; null also for a change whose answer is not in force yet and tells nothing more. */
export async function call<T>(method: Method, path: string, options: CallOptions = {}): Promise<T> {
  const response = await send(method, path, options);
  const text = await response.text();
  if (response.ok) return (text === "" ? null : parseExact(text)) as T;

  const error = new ApiError(response.status, readRefusal(text));
  if (error.code === "not_in_force" && !path.endsWith("/reset_token/")) {
    notices.recorded(error.message);
    return (error.body.recorded ?? null) as T;
  }

  if (error.status === 401 && path !== "/api/login/" && path !== ME_PATH) notices.unauthenticated();
  throw error;
}

/** All of a list. The API cuts lists; each of these has an end that the plan or the organization sets. */
export async function callAll<T>(path: string, signal?: AbortSignal): Promise<T[]> {
  const results: T[] = [];
  let next: string | null = `${path}?limit=1000`;
  while (next !== null) {
    const page: Page<T> = await call("GET", next, { signal });
    results.push(...page.results);
    next = page.next;
  }
  return results;
}

async function send(method: Method, path: string, { body, raw, headers, signal }: CallOptions): Promise<Response> {
  const all: Record<string, string> = { ...headers };
  if (method !== "GET") {
    all["X-CSRFToken"] = csrfToken();
    all["Content-Type"] = "application/json";
  }
  try {
    const response = await fetch(path, {
      method,
      headers: all,
      credentials: "same-origin",
      ...(method !== "GET" ? { body: raw ?? JSON.stringify(body ?? {}) } : {}),
      ...(signal ? { signal } : {}),
    });
    const date = Date.parse(response.headers.get("Date") ?? "");
    if (!Number.isNaN(date)) clockOffset = date - Date.now();
    return response;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, { code: "unreachable", detail: "The gateway cannot be reached. Is it running?" });
  }
}

function readRefusal(text: string): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null) return body as Record<string, unknown>;
  } catch {
    // A proxy in between says what it says.
  }
  return {};
}

function csrfToken(): string {
  const found = document.cookie.split("; ").find((cookie) => cookie.startsWith(`${CSRF_COOKIE}=`));
  return found === undefined ? "" : decodeURIComponent(found.slice(CSRF_COOKIE.length + 1));
}
