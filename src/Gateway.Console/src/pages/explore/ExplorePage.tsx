import { Group, LoadingOverlay, SegmentedControl, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useSearchParams } from "wouter";
import { queryPath, queryTrends } from "../../api/events";
import type { MyProject } from "../../api/types";
import { quoteForShell } from "../../format";
import { CopyButton } from "../../parts/Copy";
import { ProjectPage } from "../../parts/ProjectPage";
import { EmptyState, ErrorState, Loading, PageHead } from "../../parts/States";
import { TrendsControls } from "./TrendsControls";
import { TrendsView } from "./TrendsView";
import { displays, readTrends, toQuery, type Trends } from "./trends";

/** Trends: how often something happened, by whom, of which kind. The address holds the whole question. */
export function ExplorePage() {
  return <ProjectPage>{(project) => <Explore project={project} />}</ProjectPage>;
}

function Explore({ project }: { project: MyProject }) {
  const [params, setParams] = useSearchParams();
  const address = params.get("q");
  const trends = useMemo(() => readTrends(address), [address]);
  const query = JSON.stringify(toQuery(trends));
  const [asked] = useDebouncedValue(query, 300);

  const answer = useQuery({
    queryKey: ["project", project.id, "trends", asked],
    queryFn: ({ signal }) => queryTrends(project.id, JSON.parse(asked) as ReturnType<typeof toQuery>, signal),
    placeholderData: keepPreviousData,
  });
  const change = (part: Partial<Trends>) =>
    setParams({ q: JSON.stringify({ ...trends, ...part }) }, { replace: true });

  return (
    <>
      <PageHead title="Explore">
        <Group gap="xs">
          <SegmentedControl
            size="xs"
            aria-label="Show as"
            data={displays}
            value={trends.display}
            onChange={(display) => change({ display: display })}
          />
          <CopyButton text={curlFor(project.id, query)} label="Copy as curl" />
        </Group>
      </PageHead>
      <TrendsControls project={project} trends={trends} onChange={change} />
      <Text size="sm" c="dimmed" my="sm">
        Days and hours begin by {project.timezone}.
      </Text>
      {answer.data === undefined && answer.isPending ? (
        <Loading label="Counting" />
      ) : answer.isError ? (
        <ErrorState error={answer.error} onRetry={answer.refetch} />
      ) : answer.data.results.every((line) => line.count === 0) ? (
        <EmptyState title="Nothing was counted">
          No event in this range fits. Choose a longer one, or take a filter away.
        </EmptyState>
      ) : (
        <div className="card covered" aria-busy={answer.isFetching}>
          <LoadingOverlay visible={answer.isPlaceholderData} zIndex={50} overlayProps={{ backgroundOpacity: 0.4 }} />
          <TrendsView results={answer.data.results} display={trends.display} interval={trends.interval} />
        </div>
      )}
    </>
  );
}

/** The same question from a terminal; the key is the reader's own. */
function curlFor(project: number, query: string): string {
  const url = `${window.location.origin}${queryPath(project)}`;
  return [
    `curl ${quoteForShell(url)}`,
    `-H "Authorization: Bearer $API_KEY"`,
    `-H 'Content-Type: application/json'`,
    `-d ${quoteForShell(`{"query":${query}}`)}`,
  ].join(" \\\n  ");
}
