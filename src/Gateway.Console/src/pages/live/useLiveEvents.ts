import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { ApiError } from "../../api/client";
import { type EventsQuery, queryEvents } from "../../api/events";
import { LiveFeed, type LiveState } from "./LiveFeed";

/** The feed of one project and filter, for as long as a page shows it. */
export function useLiveEvents(
  project: number,
  filter: Partial<EventsQuery>,
  since: string,
  isHeld: boolean,
): [LiveState, LiveFeed] {
  const client = useQueryClient();
  const wanted = JSON.stringify(filter);
  const feed = useMemo(
    () =>
      new LiveFeed(
        async (query, signal) => {
          try {
            return await queryEvents(project, query, signal);
          } catch (error) {
            if (error instanceof ApiError && error.status === 401) void client.invalidateQueries({ queryKey: ["me"] });
            throw error;
          }
        },
        JSON.parse(wanted) as Partial<EventsQuery>,
        since,
      ),
    [client, project, wanted, since],
  );

  useEffect(() => {
    feed.start();
    return feed.stop;
  }, [feed]);
  useEffect(() => feed.hold(isHeld), [feed, isHeld]);

  return [useSyncExternalStore(feed.subscribe, feed.read), feed];
}
