import { Modal, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useLocation } from "wouter";
import { call } from "../api/client";
import { refreshEverything } from "../api/queries";
import type { Organization } from "../api/types";
import { DialogButtons } from "../parts/DialogButtons";
import { FormBody } from "../parts/FormBody";
import { useForm } from "../parts/useForm";
import { organizationPath } from "../session";

interface NewOrganizationProps {
  opened: boolean;
  onClose: () => void;
}

export function NewOrganization({ opened, onClose }: NewOrganizationProps) {
  return (
    <Modal opened={opened} onClose={onClose} title="New organization">
      <NewOrganizationForm onClose={onClose} />
    </Modal>
  );
}

function NewOrganizationForm({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [, go] = useLocation();
  const form = useForm({ name: "" });

  async function create(fields: { name: string }) {
    const made = await call<Organization | null>("POST", "/api/organizations/", { body: fields });
    await refreshEverything(client);
    onClose();
    go(made === null ? "/" : organizationPath(made.id, "projects"));
  }

  return (
    <FormBody label="New organization" problem={form.problem} onSubmit={() => form.submit(create)}>
      <TextInput
        label="Name"
        description="You become its owner. It begins with one project."
        {...form.text("name")}
        data-autofocus
      />
      <DialogButtons onClose={onClose} action="Create organization" busy={form.busy} />
    </FormBody>
  );
}
