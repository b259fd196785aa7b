import { Alert, Anchor, Group, Loader, Stack, Tabs, Text, Title } from "@mantine/core";
import { IconCircleCheckFilled } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { queryEvents } from "../../api/events";
import { useProject } from "../../api/queries";
import type { MyProject } from "../../api/types";
import { CopyBlock, CopyIcon } from "../../parts/Copy";
import { ProjectPage } from "../../parts/ProjectPage";
import { Answered, messageOf, PageHead } from "../../parts/States";
import { projectPath } from "../../session";
import { snippetsFor } from "./snippets";

/** A project's first page: its token, what to paste, and a tick as soon as the first event can be seen. */
export function StartPage() {
  return <ProjectPage>{(project) => <Start project={project} />}</ProjectPage>;
}

function Start({ project }: { project: MyProject }) {
  const settings = useProject(project.id);
  return (
    <>
      <PageHead title="Send events" />
      <Stack>
        <FirstEvent project={project} />
        <Answered query={settings}>
          {({ api_token }) =>
            api_token === null ? (
              <Alert color="yellow">The project has no token just now. Reload the page in a moment.</Alert>
            ) : (
              <Snippets token={api_token} />
            )
          }
        </Answered>
      </Stack>
    </>
  );
}

/** Asked every second until there is one: whoever has just pasted a line looks here. */
function FirstEvent({ project }: { project: MyProject }) {
  const first = useQuery({
    queryKey: ["project", project.id, "first event"],
    queryFn: async ({ signal }) =>
      (await queryEvents(project.id, { select: ["event"], limit: 1 }, signal)).results[0] ?? null,
    refetchInterval: ({ state }) => (state.data ? false : 1000),
    retry: false,
  });
  const name = first.data?.[0];

  return (
    <div className="card" role="status">
      {typeof name === "string" ? (
        <Group wrap="nowrap">
          <IconCircleCheckFilled className="good" size={28} aria-hidden />
          <div>
            <Text fw={600}>Events arrive</Text>
            <Text size="sm" c="dimmed">
              The newest is <b className="wrap">{name}</b>.{" "}
              <Anchor component={Link} href={projectPath(project.id)} inherit underline="always">
                See them live
              </Anchor>
            </Text>
          </div>
        </Group>
      ) : (
        <Group wrap="nowrap">
          <Loader size="sm" aria-hidden />
          <div>
            <Text fw={600}>Waiting for the first event</Text>
            <Text size="sm" c={first.isError ? "red" : "dimmed"}>
              {first.isError
                ? `It cannot be asked for just now: ${messageOf(first.error)}`
                : "Put one of these into your app, or paste the curl line into a terminal."}
            </Text>
          </div>
        </Group>
      )}
    </div>
  );
}

function Snippets({ token }: { token: string }) {
  const snippets = snippetsFor(window.location.origin, token);
  return (
    <>
      <div className="card">
        <Title order={2} size="h4">
          Project token
        </Title>
        <Text size="sm" c="dimmed" mb="xs">
          Public: it goes into your apps, and can only write.
        </Text>
        <Group gap={4} wrap="nowrap">
          <code className="value">{token}</code>
          <CopyIcon text={token} label="Copy the token" />
        </Group>
      </div>
      <div className="card">
        <Title order={2} size="h4" mb="xs">
          Point an SDK at this gateway
        </Title>
        <Tabs defaultValue="browser" keepMounted={false}>
          <Tabs.List mb="sm">
            {snippets.map(({ id, label }) => (
              <Tabs.Tab key={id} value={id}>
                {label}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          {snippets.map(({ id, label, install, code }) => (
            <Tabs.Panel key={id} value={id}>
              <Stack align="stretch" gap="xs">
                {install !== undefined && <pre className="code">{install}</pre>}
                <CopyBlock text={code} label={`${label} snippet`} />
              </Stack>
            </Tabs.Panel>
          ))}
        </Tabs>
      </div>
    </>
  );
}
