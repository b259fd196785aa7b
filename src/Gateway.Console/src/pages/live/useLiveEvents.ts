import { useEffect, useMemo, useSyncExternalStore } from "react";
import { type EventsQuery, queryEvents } from "../../api/events";
import { LiveFeed, type LiveState } from "./LiveFeed";

/** The feed of one project and filter, for as long as a page shows it. */
export function useLiveEvents(
  project: number,
  filter: Partial<EventsQuery>,
  since: string,
  isHeld: boolean,
): [LiveState, LiveFeed] {
  const wanted = JSON.stringify(filter);
  const feed = useMemo(
    () =>
      new LiveFeed(
        (query, signal) => queryEvents(project, query, signal),
        JSON.parse(wanted) as Partial<EventsQuery>,
        since,
      ),
    [project, wanted, since],
  );

  useEffect(() => {
    feed.start();
    return feed.stop;
  }, [feed]);
  useEffect(() => feed.hold(isHeld), [feed, isHeld]);

  return [useSyncExternalStore(feed.subscribe, feed.read), feed];
}
