import { useQuery } from "@tanstack/react-query";
import { queryEvents } from "./events";

/** Enough to know what an app sends, and little enough to be read with each page that has filters. */
const LATEST = 200;

export interface Suggestions {
  events: string[];
  properties: string[];
}

const nothing: Suggestions = { events: [], properties: [] };

/** Names of events and properties as the latest events have them: to choose from; others can be typed. */
export function useSuggestions(project: number): Suggestions {
  const latest = useQuery({
    queryKey: ["project", project, "suggestions"],
    queryFn: async ({ signal }): Promise<Suggestions> => {
      const { results } = await queryEvents(
        project,
        { select: ["event", "properties"], after: "-30d", limit: LATEST },
        signal,
      );
      return {
        events: distinct(results.map((row) => String(row[0]))),
        properties: distinct(results.flatMap((row) => Object.keys((row[1] ?? {})))),
      };
    },
    staleTime: 60_000,
    refetchOnWindowFocus: false,
  });
  return latest.data ?? nothing;
}

function distinct(texts: string[]): string[] {
  return [...new Set(texts)].sort((left, right) => left.localeCompare(right));
}
