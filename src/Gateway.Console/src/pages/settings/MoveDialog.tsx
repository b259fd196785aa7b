import { Alert, List, Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { call } from "../../api/client";
import { paths, refreshEverything } from "../../api/queries";
import type { MyOrganization, Project } from "../../api/types";
import { plural } from "../../format";
import { DialogButtons } from "../../parts/DialogButtons";
import { FormBody } from "../../parts/FormBody";
import { ErrorState, Loading, messageOf } from "../../parts/States";
import { useForm } from "../../parts/useForm";
import { projectPath } from "../../session";

interface MoveDialogProps {
  opened: boolean;
  onClose: () => void;
  project: Project;
  /** Where it may go: those that one is a member of. */
  organizations: MyOrganization[];
}

/** Moves a project: first where to, then who would lose it, and only then the move. */
export function MoveDialog(props: MoveDialogProps) {
  return (
    <Modal opened={props.opened} onClose={props.onClose} title="Move the project" size="lg">
      <Move {...props} />
    </Modal>
  );
}

function Move({ project, organizations, onClose }: MoveDialogProps) {
  const client = useQueryClient();
  const [, go] = useLocation();
  const [target, setTarget] = useState<string | null>(null);
  const form = useForm({ confirmation: "" });
  const path = `${paths.project(project.id)}change_organization/`;

  const preview = useQuery({
    queryKey: ["project", project.id, "move", target],
    queryFn: ({ signal }) =>
      call<Project>("POST", `${path}?dry_run=true`, { body: { organization_id: target }, signal }),
    enabled: target !== null,
    retry: false,
    gcTime: 0,
  });

  async function move() {
    await call("POST", path, { body: { organization_id: target } });
    await refreshEverything(client);
    onClose();
    notifications.show({ message: "The project was moved.", color: "green" });
    go(projectPath(project.id, "settings"));
  }

  return (
    <FormBody label="Move the project" problem={form.problem} onSubmit={() => form.submit(move)}>
      <Select
        label="To the organization"
        description="Those that you are a member of"
        placeholder="Choose one"
        data={organizations.map(({ id, name }) => ({ value: id, label: name }))}
        value={target}
        onChange={setTarget}
        searchable
        data-autofocus
      />
      {target !== null && preview.isPending && <Loading label="Asking who would lose access" />}
      {preview.isError && <ErrorState error={new Error(messageOf(preview.error))} />}
      {target !== null && preview.isSuccess && (
        <Stack>
          <People title="would lose access" people={preview.data.lose_access ?? []} color="red" />
          <People title="would gain access" people={preview.data.gain_access ?? []} color="indigo" />
          <TextInput
            label={
              <>
                Type <b className="wrap">{project.name}</b> to confirm
              </>
            }
            {...form.text("confirmation")}
            autoComplete="off"
          />
        </Stack>
      )}
      <DialogButtons
        onClose={onClose}
        action="Move project"
        busy={form.busy}
        disabled={!preview.isSuccess || target === null || form.fields.confirmation !== project.name}
        color="red"
      />
    </FormBody>
  );
}

function People({ title, people, color }: { title: string; people: string[]; color: string }) {
  if (people.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        Nobody {title}.
      </Text>
    );
  }
  return (
    <Alert color={color} title={`${plural(people.length, "person", "people")} ${title}`}>
      <List size="sm" className="people">
        {people.map((person) => (
          <List.Item key={person} className="wrap">
            {person}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}
