import { Alert, Button, Group, Modal, MultiSelect, Stack, Text, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../../api/client";
import { usePersonalKeys } from "../../api/queries";
import type { PersonalKey } from "../../api/types";
import { browserZone, formatDay } from "../../format";
import { Confirm } from "../../parts/Confirm";
import { CopyBlock } from "../../parts/Copy";
import { DialogButtons } from "../../parts/DialogButtons";
import { FormBody } from "../../parts/FormBody";
import { Answered, EmptyState, PageHead } from "../../parts/States";
import { useForm } from "../../parts/useForm";
import { findOrganization, findProject, useSignedIn } from "../../session";

const PATH = "/api/personal_api_keys/";
const MOST = 10;

const scopes = [
  { value: "query:read", label: "query:read: events, trends, health" },
  { value: "project:read", label: "project:read: projects and their settings" },
  { value: "project:write", label: "project:write: change them, regenerate tokens" },
  { value: "organization:read", label: "organization:read: members and invites" },
  { value: "organization:write", label: "organization:write: all that you may do in an organization" },
  { value: "user:read", label: "user:read: your account" },
  { value: "user:write", label: "user:write: your name" },
  { value: "*", label: "*: all that you may do" },
];

/** Keys for scripts and other programs. The gateway keeps hashes: a key's value can be shown once. */
export function KeysPage() {
  const keys = usePersonalKeys();
  const [isMaking, setMaking] = useState(false);
  const [shown, setShown] = useState<PersonalKey | null>(null);

  return (
    <>
      <PageHead title="Personal API keys">
        <Button
          size="xs"
          disabled={(keys.data?.length ?? 0) >= MOST}
          onClick={() => {
            setShown(null);
            setMaking(true);
          }}
        >
          New key
        </Button>
      </PageHead>
      <Text c="dimmed" mb="md">
        Secrets: with one a program reads and does what you may, as far as its scopes go. At most {MOST}.
      </Text>
      {shown?.value !== undefined && (
        <Alert
          color="green"
          mb="md"
          role="status"
          title={shown.label}
          className="wrap"
          withCloseButton
          onClose={() => setShown(null)}
        >
          <Text size="sm" mb="xs">
            Copy it now: it is shown this once, and kept here as a hash only.
          </Text>
          <CopyBlock text={shown.value} label="API key" />
        </Alert>
      )}
      <Answered query={keys}>
        {(all) =>
          all.length === 0 ? (
            <EmptyState title="No keys yet">Make one to query your events from a script.</EmptyState>
          ) : (
            <Stack role="list" aria-label="Personal API keys">
              {all.map((key) => (
                <Key key={key.id} apiKey={key} onShow={setShown} />
              ))}
            </Stack>
          )
        }
      </Answered>
      <Modal opened={isMaking} onClose={() => setMaking(false)} title="New personal API key" size="lg">
        <NewKey onClose={() => setMaking(false)} onMade={setShown} />
      </Modal>
    </>
  );
}

interface KeyProps {
  apiKey: PersonalKey;
  onShow: (key: PersonalKey) => void;
}

function Key({ apiKey, onShow }: KeyProps) {
  const me = useSignedIn();
  const client = useQueryClient();
  const [asked, setAsked] = useState<"roll" | "delete" | null>(null);
  const bounds = [
    ...apiKey.scoped_organizations.map((id) => findOrganization(me, id)?.name ?? id),
    ...apiKey.scoped_projects.map((id) => findProject(me, id)?.name ?? String(id)),
  ];

  async function roll() {
    onShow(await call<PersonalKey>("POST", `${PATH}${apiKey.id}/roll/`));
    await client.invalidateQueries({ queryKey: ["keys"] });
  }

  async function remove() {
    await call("DELETE", `${PATH}${apiKey.id}/`);
    await client.invalidateQueries({ queryKey: ["keys"] });
  }

  return (
    <div className="card" role="listitem">
      <Group justify="space-between" align="flex-start">
        <div>
          <Text fw={600} className="wrap">
            {apiKey.label}
          </Text>
          <Text size="sm" className="value">
            {apiKey.mask_value}
          </Text>
          <Text size="sm" c="dimmed" className="wrap">
            {apiKey.scopes.join(", ")}
            {bounds.length > 0 && `; only ${bounds.join(", ")}`}
          </Text>
          <Text size="sm" c="dimmed">
            Made {formatDay(apiKey.created_at, browserZone)},{" "}
            {apiKey.last_used_at === null ? "never used" : `last used ${formatDay(apiKey.last_used_at, browserZone)}`}
          </Text>
        </div>
        <Group gap="xs">
          <Button size="xs" variant="default" onClick={() => setAsked("roll")}>
            Roll
          </Button>
          <Button size="xs" variant="outline" color="red" onClick={() => setAsked("delete")}>
            Delete
          </Button>
        </Group>
      </Group>
      <Confirm
        opened={asked === "roll"}
        onClose={() => setAsked(null)}
        title="Roll the key"
        action="Roll key"
        onConfirm={roll}
      >
        <Text className="wrap">
          Programs that use {apiKey.label} are refused from the answer on, until they have its new value.
        </Text>
      </Confirm>
      <Confirm
        opened={asked === "delete"}
        onClose={() => setAsked(null)}
        title="Delete the key"
        action="Delete key"
        onConfirm={remove}
      >
        <Text className="wrap">Programs that use {apiKey.label} are refused from the answer on.</Text>
      </Confirm>
    </div>
  );
}

interface NewKeyProps {
  onClose: () => void;
  onMade: (key: PersonalKey) => void;
}

function NewKey({ onClose, onMade }: NewKeyProps) {
  const me = useSignedIn();
  const client = useQueryClient();
  const form = useForm({
    label: "",
    scopes: ["query:read"],
    scoped_organizations: [] as string[],
    scoped_projects: [] as string[],
  });

  async function make(fields: typeof form.fields) {
    const body = { ...fields, scoped_projects: fields.scoped_projects.map(Number) };
    onMade(await call<PersonalKey>("POST", PATH, { body }));
    await client.invalidateQueries({ queryKey: ["keys"] });
    onClose();
  }

  return (
    <FormBody label="New personal API key" problem={form.problem} onSubmit={() => form.submit(make)}>
      <TextInput
        label="Label"
        {...form.text("label")}
        data-autofocus
      />
      <MultiSelect
        label="Scopes"
        description="To write is to read too"
        data={scopes}
        value={form.fields.scopes}
        onChange={(value) => form.set("scopes", value)}
        error={form.errorOf("scopes")}
      />
      <MultiSelect
        label="Only these organizations"
        placeholder={form.fields.scoped_organizations.length === 0 ? "All of yours" : ""}
        data={me.organizations.map(({ id, name }) => ({ value: id, label: name }))}
        value={form.fields.scoped_organizations}
        onChange={(value) => form.set("scoped_organizations", value)}
        error={form.errorOf("scoped_organizations")}
        searchable
      />
      <MultiSelect
        label="Only these projects"
        placeholder={form.fields.scoped_projects.length === 0 ? "All that you may enter" : ""}
        data={me.organizations.map((organization) => ({
          group: organization.name,
          items: organization.projects.map(({ id, name }) => ({ value: String(id), label: name })),
        }))}
        value={form.fields.scoped_projects}
        onChange={(value) => form.set("scoped_projects", value)}
        error={form.errorOf("scoped_projects")}
        searchable
        limit={50}
      />
      <DialogButtons onClose={onClose} action="Create key" busy={form.busy} />
    </FormBody>
  );
}
