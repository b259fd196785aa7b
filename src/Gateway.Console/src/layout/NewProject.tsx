import { Modal, Select, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useLocation } from "wouter";
import { call } from "../api/client";
import { paths, refreshEverything } from "../api/queries";
import type { MyOrganization, Project } from "../api/types";
import { browserZone } from "../format";
import { DialogButtons } from "../parts/DialogButtons";
import { FormBody } from "../parts/FormBody";
import { useForm } from "../parts/useForm";
import { ZoneSelect } from "../parts/ZoneSelect";
import { projectPath } from "../session";

interface NewProjectProps {
  opened: boolean;
  onClose: () => void;
  /** Those in which one may make projects. */
  organizations: readonly MyOrganization[];
  /** The one to begin with. */
  current: string | undefined;
}

export function NewProject(props: NewProjectProps) {
  return (
    <Modal opened={props.opened} onClose={props.onClose} title="New project">
      <NewProjectForm {...props} />
    </Modal>
  );
}

function NewProjectForm({ organizations, current, onClose }: NewProjectProps) {
  const client = useQueryClient();
  const [, go] = useLocation();
  const first = organizations.find((organization) => organization.id === current) ?? organizations[0];
  const form = useForm({ name: "", timezone: browserZone, organization: first?.id ?? "" });

  async function create({ organization, ...body }: typeof form.fields) {
    const made = await call<Project>("POST", `${paths.organization(organization)}projects/`, { body });
    await refreshEverything(client);
    onClose();
    go(projectPath(made.id, "start"));
  }

  return (
    <FormBody label="New project" problem={form.problem} onSubmit={() => form.submit(create)}>
      <TextInput
        label="Name"
        {...form.text("name")}
        data-autofocus
      />
      <ZoneSelect
        value={form.fields.timezone}
        onChange={(zone) => form.set("timezone", zone)}
        error={form.errorOf("timezone")}
      />
      {organizations.length > 1 && (
        <Select
          label="Organization"
          data={organizations.map(({ id, name }) => ({ value: id, label: name }))}
          value={form.fields.organization}
          onChange={(id) => id !== null && form.set("organization", id)}
          allowDeselect={false}
        />
      )}
      <DialogButtons onClose={onClose} action="Create project" busy={form.busy} />
    </FormBody>
  );
}
