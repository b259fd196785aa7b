import { Alert, Badge, Button, Group, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { call, type Page } from "../../api/client";
import { formatJson } from "../../api/exact";
import { paths, useProject } from "../../api/queries";
import type { MyProject, QuarantinedEvent, ReplayAnswer } from "../../api/types";
import { formatTime, plural } from "../../format";
import { Confirm } from "../../parts/Confirm";
import { ProjectPage } from "../../parts/ProjectPage";
import { EmptyState, ErrorState, Loading, PageHead } from "../../parts/States";
import { useChange } from "../../parts/useChange";
import { MendDialog } from "./MendDialog";

/** Of an event's text: it may have a million characters. */
const SHOWN_AT_ONCE = 4000;

/** Events that could not be stored: why, and what may be done with them. */
export function QuarantinePage() {
  return <ProjectPage>{(project) => <Quarantine project={project} />}</ProjectPage>;
}

function Quarantine({ project }: { project: MyProject }) {
  const path = `${paths.project(project.id)}quarantine/`;
  const keys = [["project", project.id]];
  const settings = useProject(project.id);
  const isAdmin = settings.data?.access_level === "admin";
  const [isDeleting, setDeleting] = useState(false);
  const [failed, setFailed] = useState<ReplayAnswer["errors"]>([]);

  const list = useInfiniteQuery({
    queryKey: ["project", project.id, "quarantine"],
    queryFn: ({ pageParam, signal }) => call<Page<QuarantinedEvent>>("GET", pageParam, { signal }),
    initialPageParam: `${path}?limit=50`,
    getNextPageParam: (last) => last.next,
    // Who has read on keeps what is there: all of it would be asked for again.
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 1) === 1 ? 10_000 : false),
    refetchOnWindowFocus: false,
  });

  const replayAll = useChange(() => call<ReplayAnswer>("POST", `${path}replay/`), { keys });
  const deleteAll = useChange(() => call("DELETE", path), { keys, done: "The quarantine is empty.", quiet: true });

  function tell({ replayed, failed: count, errors }: ReplayAnswer) {
    setFailed(errors);
    notifications.show({
      message: `${plural(replayed, "event")} sent again${count > 0 ? `, ${plural(count, "event")} refused again` : ""}.`,
      color: count > 0 ? "yellow" : "green",
    });
  }

  const count = list.data?.pages[0]?.count ?? 0;
  return (
    <>
      <PageHead title="Quarantine">
        {isAdmin && count > 0 && (
          <Group gap="xs">
            <Button size="xs" loading={replayAll.isPending} onClick={() => replayAll.mutate(undefined, { onSuccess: tell })}>
              Send all again
            </Button>
            <Button size="xs" variant="outline" color="red" onClick={() => setDeleting(true)}>
              Delete all
            </Button>
          </Group>
        )}
      </PageHead>
      <Text c="dimmed" mb="md">
        Events that ClickHouse refuses, and those refused beside good ones of the same request. They wait here with the
        reason{isAdmin ? ": send them again as they are (10,000 at most at once), or mended" : "; an admin of the project can send them again"}.
        Each gateway has a quarantine of its own; this is the one that you are connected to.
      </Text>
      {failed.length > 0 && (
        <Alert color="yellow" title="Refused again" mb="md" withCloseButton onClose={() => setFailed([])}>
          {failed.slice(0, 10).map((error) => (
            <div key={error.id} className="wrap">
              {error.id}: {error.detail}
            </div>
          ))}
        </Alert>
      )}
      {list.isPending ? (
        <Loading />
      ) : list.isError && list.data === undefined ? (
        <ErrorState error={list.error} onRetry={list.refetch} />
      ) : count === 0 ? (
        <EmptyState title="Nothing is in quarantine">Every event that was accepted could be stored.</EmptyState>
      ) : (
        <Stack role="list" aria-label="Events in quarantine">
          {list.data.pages
            .flatMap((page) => page.results)
            .map((entry) => (
              <Entry key={entry.id} entry={entry} project={project} isAdmin={isAdmin} />
            ))}
        </Stack>
      )}
      {list.hasNextPage && (
        <Group justify="center" mt="md">
          <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            Show more of {plural(count, "event")}
          </Button>
        </Group>
      )}
      <Confirm
        opened={isDeleting}
        onClose={() => setDeleting(false)}
        title="Delete all of the quarantine"
        action="Delete all"
        onConfirm={() => deleteAll.mutateAsync(undefined)}
      >
        <Text>{plural(count, "event")} will be gone for good. They were never stored.</Text>
      </Confirm>
    </>
  );
}

interface EntryProps {
  entry: QuarantinedEvent;
  project: MyProject;
  isAdmin: boolean;
}

function Entry({ entry, project, isAdmin }: EntryProps) {
  const path = `${paths.project(project.id)}quarantine/${entry.id}/`;
  const keys = [["project", project.id]];
  const [isMending, setMending] = useState(false);
  const replay = useChange(() => call("POST", `${path}replay/`, { raw: "" }), {
    keys,
    done: "Sent again.",
  });
  const remove = useChange(() => call("DELETE", path), { keys, done: "Deleted.", quiet: true });
  const [isDeleting, setDeleting] = useState(false);
  const text = useMemo(() => formatJson(entry.event), [entry.event]);
  const [isWhole, setWhole] = useState(text.length <= SHOWN_AT_ONCE);

  return (
    <div className="card" role="listitem">
      <Group justify="space-between" align="flex-start">
        <div>
          <Group gap="xs">
            <Badge variant="light" color="yellow" tt="none">
              {entry.code}
            </Badge>
            <Text size="sm" c="dimmed">
              {entry.origin === "store" ? "ClickHouse refuses it" : "refused at capture"}, received{" "}
              {formatTime(entry.received_at, project.timezone)}
            </Text>
          </Group>
          <Text mt={4} className="wrap">
            {entry.reason}
          </Text>
        </div>
        {isAdmin && (
          <Group gap="xs">
            <Button size="xs" variant="default" loading={replay.isPending} onClick={() => replay.mutate(undefined)}>
              Send again
            </Button>
            <Button size="xs" variant="default" onClick={() => setMending(true)}>
              Mend
            </Button>
            <Button size="xs" variant="outline" color="red" onClick={() => setDeleting(true)}>
              Delete
            </Button>
          </Group>
        )}
      </Group>
      <pre className="code" tabIndex={0} aria-label={`Event ${entry.id}`}>
        {isWhole ? text : `${text.slice(0, SHOWN_AT_ONCE)} …`}
      </pre>
      {!isWhole && (
        <Button size="compact-sm" variant="default" onClick={() => setWhole(true)}>
          Show all of it
        </Button>
      )}
      <Confirm
        opened={isDeleting}
        onClose={() => setDeleting(false)}
        title="Delete the event"
        action="Delete for good"
        onConfirm={() => remove.mutateAsync(undefined)}
      >
        <Text>It was never stored, and will be nowhere then.</Text>
      </Confirm>
      <MendDialog
        opened={isMending}
        onClose={() => setMending(false)}
        event={text}
        path={`${path}replay/`}
        keys={keys}
      />
    </div>
  );
}
