import { Button, Group, Text, Title } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { call } from "../../api/client";
import { paths, refreshEverything } from "../../api/queries";
import type { Project } from "../../api/types";
import { Confirm } from "../../parts/Confirm";
import { organizationPath, useSignedIn } from "../../session";
import { MoveDialog } from "./MoveDialog";

/** For admins of the organization: they alone may take a project away. */
export function DangerZone({ project }: { project: Project }) {
  const me = useSignedIn();
  const client = useQueryClient();
  const [, go] = useLocation();
  const [isMoving, setMoving] = useState(false);
  const [isDeleting, setDeleting] = useState(false);
  const others = me.organizations.filter((organization) => organization.id !== project.organization);

  async function remove() {
    await call("DELETE", paths.project(project.id));
    // The page that shows how the deletion goes on comes first: this one would find its project gone.
    go(organizationPath(project.organization, "projects"));
    await refreshEverything(client);
  }

  return (
    <section className="card danger" aria-label="Danger zone">
      <Title order={2} size="h4" mb="sm">
        Danger zone
      </Title>
      <Group justify="space-between" mb="md">
        <div>
          <Text fw={600}>Move to another organization</Text>
          <Text size="sm" c="dimmed">
            {others.length === 0
              ? "You are a member of no other one."
              : "With its id, token and events, while events come in."}
          </Text>
        </div>
        <Button variant="outline" color="red" disabled={others.length === 0} onClick={() => setMoving(true)}>
          Move project
        </Button>
      </Group>
      <Group justify="space-between">
        <div>
          <Text fw={600}>Delete the project</Text>
          <Text size="sm" c="dimmed">
            Its token is refused and its events are unreadable from the answer on; then they are erased.
          </Text>
        </div>
        <Button variant="outline" color="red" onClick={() => setDeleting(true)}>
          Delete project
        </Button>
      </Group>
      <MoveDialog opened={isMoving} onClose={() => setMoving(false)} project={project} organizations={others} />
      <Confirm
        opened={isDeleting}
        onClose={() => setDeleting(false)}
        title="Delete the project"
        action="Delete project"
        name={project.name}
        onConfirm={remove}
      >
        <Text>
          All of its events are erased, in the store and in what waits on disk. Its token is refused at once, and is never
          taken again. Nobody can take this back.
        </Text>
      </Confirm>
    </section>
  );
}
