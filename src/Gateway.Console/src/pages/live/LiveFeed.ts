import type { EventsQuery } from "../../api/events";
import type { EventsAnswer } from "../../api/types";

export interface LiveEvent {
  key: string;
  uuid: string;
  event: string;
  distinctId: string;
  timestamp: string;
  receivedAt: string;
}

export interface LiveState {
  status: "loading" | "ready" | "failed";
  /** By the time of receipt, the newest first. */
  events: readonly LiveEvent[];
  /** Came while the list was held. */
  waiting: number;
  /** More came than were asked for: the list begins anew when it is let go. */
  isWaitingMore: boolean;
  hasOlder: boolean;
  isLoadingOlder: boolean;
  /** Of the last question for new ones; null when it was answered. */
  error: unknown;
  /** Of the last question for older ones. */
  olderError: unknown;
}

const PAGE = 200;

/** Of what is new, the overlap with it: some four hundred a second. More is not looked at one by one. */
const AT_ONCE = 5000;

/** A page that stays open for days keeps no more than this of what came; older ones can be asked for again. */
const MOST_KEPT = 5000;
const EVERY = 2000;

/** Events become queryable a little out of the order of their receipt, above all from several gateways. */
const OVERLAP = 10_000;

const columns = ["uuid", "event", "distinct_id", "timestamp", "received_at"];

/**
 * Events as they become queryable, and older ones page by page. Every two seconds it asks for what was received since
 * the newest one that it has, and a little before; what it has already, it knows by uuid, name and time. While it is
 * held, what comes is only counted: a list that moves cannot be read.
 */
export class LiveFeed {
  private readonly ask: (query: EventsQuery, signal: AbortSignal) => Promise<EventsAnswer>;
  private readonly filter: Partial<EventsQuery>;
  private readonly since: string;
  private readonly listeners = new Set<() => void>();
  private readonly known = new Set<string>();
  private held: LiveEvent[] = [];
  private shown: LiveEvent[] = [];
  private cursor: string | undefined;
  private isHeld = false;
  private abort = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private state: LiveState = {
    status: "loading",
    events: [],
    waiting: 0,
    isWaitingMore: false,
    hasOlder: false,
    isLoadingOlder: false,
    error: null,
    olderError: null,
  };

  constructor(
    ask: (query: EventsQuery, signal: AbortSignal) => Promise<EventsAnswer>,
    filter: Partial<EventsQuery>,
    since: string,
  ) {
    this.ask = ask;
    this.filter = filter;
    this.since = since;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly read = (): LiveState => this.state;

  readonly start = (): void => {
    this.abort.abort();
    this.abort = new AbortController();
    this.tell({ isLoadingOlder: false });
    void this.begin(this.abort.signal);
  };

  readonly stop = (): void => {
    this.abort.abort();
    clearTimeout(this.timer);
  };

  hold(isHeld: boolean): void {
    this.isHeld = isHeld;
    if (!isHeld) this.release();
  }

  readonly release = (): void => {
    if (this.state.isWaitingMore || this.held.length + this.shown.length > MOST_KEPT) {
      this.start();
      return;
    }
    if (this.held.length === 0) return;

    this.shown = sorted([...this.held, ...this.shown]);
    this.held = [];
    this.tell({ events: this.shown, waiting: 0 });
  };

  readonly loadOlder = (): void => {
    if (this.cursor === undefined || this.state.isLoadingOlder) return;
    this.tell({ isLoadingOlder: true, olderError: null });
    void this.takeOlder(this.abort.signal);
  };

  private async takeOlder(signal: AbortSignal): Promise<void> {
    try {
      const answer = await this.query({ after: this.since, limit: PAGE, cursor: this.cursor }, signal);
      this.shown = [...this.shown, ...this.take(answer)];
      this.tell({ events: this.shown, hasOlder: this.cursor !== undefined, isLoadingOlder: false });
    } catch (olderError) {
      if (!signal.aborted) this.tell({ isLoadingOlder: false, olderError });
    }
  }

  /** The list from its beginning; also when more came at once than can be shown. */
  private async begin(signal: AbortSignal): Promise<void> {
    clearTimeout(this.timer);
    await this.attempt(signal, async () => {
      const answer = await this.query({ after: this.since, limit: PAGE }, signal);
      this.known.clear();
      this.held = [];
      this.shown = this.take(answer);
      this.tell({
        status: "ready",
        events: this.shown,
        waiting: 0,
        isWaitingMore: false,
        hasOlder: this.cursor !== undefined,
        isLoadingOlder: false,
        olderError: null,
      });
    });
    if (this.state.status === "loading" && !signal.aborted) this.tell({ status: "failed" });
    this.pollLater(signal);
  }

  private pollLater(signal: AbortSignal): void {
    clearTimeout(this.timer);
    if (!signal.aborted && this.state.status === "ready") this.timer = setTimeout(() => void this.poll(signal), EVERY);
  }

  private async poll(signal: AbortSignal): Promise<void> {
    // Nobody looks: what comes meanwhile is asked for at the next turn.
    if (document.hidden) {
      this.pollLater(signal);
      return;
    }

    await this.attempt(signal, async () => {
      const { fresh, isMore } = await this.readNewer(signal);
      if (isMore && !this.isHeld) {
        // Too many to be looked at one by one: the list begins anew with the newest.
        this.start();
        return;
      }

      const room = Math.max(0, MOST_KEPT - this.held.length);
      for (const event of fresh.slice(0, room)) this.known.add(event.key);
      this.held = sorted([...fresh.slice(0, room), ...this.held]);
      this.tell({ isWaitingMore: this.state.isWaitingMore || isMore || fresh.length > room });
      if (this.isHeld) this.tell({ waiting: this.held.length });
      else this.release();
    });
    this.pollLater(signal);
  }

  /** All that was received since the newest one that is here, the overlap again; or that it is more than can be read. */
  private async readNewer(signal: AbortSignal): Promise<{ fresh: LiveEvent[]; isMore: boolean }> {
    const answer = await this.query({ after: this.newest(), orderBy: ["received_at ASC"], limit: AT_ONCE }, signal);
    const oldest = this.cursor === undefined ? "" : (this.shown.at(-1)?.receivedAt ?? "");
    // What is as old as the end of the list belongs to its next page.
    const fresh = answer.results
      .map(toEvent)
      .filter((event) => event.receivedAt > oldest && !this.known.has(event.key));
    return { fresh, isMore: answer.hasMore };
  }

  private query(query: Partial<EventsQuery>, signal: AbortSignal): Promise<EventsAnswer> {
    return this.ask({ ...this.filter, select: columns, orderBy: ["received_at DESC"], ...query }, signal);
  }

  /** Remembers where a page ended; what was there already is left out. */
  private take(answer: EventsAnswer): LiveEvent[] {
    this.cursor = answer.hasMore ? (answer.nextCursor ?? undefined) : undefined;
    const fresh = answer.results.map(toEvent).filter((event) => !this.known.has(event.key));
    for (const event of fresh) this.known.add(event.key);
    return fresh;
  }

  private newest(): string {
    const newest = this.held[0] ?? this.shown[0];
    return newest === undefined ? this.since : new Date(Date.parse(newest.receivedAt) - OVERLAP).toISOString();
  }

  private async attempt(signal: AbortSignal, step: (signal: AbortSignal) => Promise<void>): Promise<void> {
    try {
      await step(signal);
      if (this.state.error !== null) this.tell({ error: null });
    } catch (error) {
      if (!signal.aborted) this.tell({ error });
    }
  }

  private tell(change: Partial<LiveState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}

function toEvent(row: unknown[]): LiveEvent {
  const [uuid = "", event = "", distinctId = "", timestamp = "", receivedAt = ""] = row.map(String);
  return { key: `${uuid} ${event} ${timestamp}`, uuid, event, distinctId, timestamp, receivedAt };
}

function sorted(events: LiveEvent[]): LiveEvent[] {
  return events.sort((left, right) =>
    left.receivedAt === right.receivedAt ? 0 : left.receivedAt < right.receivedAt ? 1 : -1,
  );
}
