import { Button, Group, Text, TextInput, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { call } from "../../api/client";
import { paths, refreshEverything, useOrganization, useProjects } from "../../api/queries";
import type { MyOrganization, Organization } from "../../api/types";
import { plural } from "../../format";
import { Confirm } from "../../parts/Confirm";
import { FormBody } from "../../parts/FormBody";
import { OfOrganization } from "../../parts/OfOrganization";
import { Answered, PageHead } from "../../parts/States";
import { useForm } from "../../parts/useForm";
import { isAdmin } from "../../session";

export function OrganizationPage() {
  return <OfOrganization>{(organization) => <General organization={organization} />}</OfOrganization>;
}

function General({ organization }: { organization: MyOrganization }) {
  const read = useOrganization(organization.id);
  return (
    <>
      <PageHead title="Organization" />
      <Answered query={read}>
        {(current) => (
          <>
            <Rename key={current.name} organization={current} />
            <Plan organization={current} />
            {current.membership_level === 15 && <DeleteOrganization organization={current} />}
          </>
        )}
      </Answered>
    </>
  );
}

function Rename({ organization }: { organization: Organization }) {
  const client = useQueryClient();
  const form = useForm({ name: organization.name });

  async function save(fields: { name: string }) {
    await call("PATCH", paths.organization(organization.id), { body: fields });
    await refreshEverything(client);
    notifications.show({ message: "Saved.", color: "green" });
  }

  return (
    <section className="card">
      <FormBody label="Name of the organization" problem={form.problem} onSubmit={() => form.submit(save)}>
        <TextInput
          label="Name"
          {...form.text("name")}
          disabled={!isAdmin(organization)}
        />
        {isAdmin(organization) && (
          <Group>
            <Button type="submit" loading={form.busy}>
              Save
            </Button>
          </Group>
        )}
      </FormBody>
    </section>
  );
}

/** The gateway's plans: free has one project, unlimited as many as are listed. */
function Plan({ organization }: { organization: Organization }) {
  const projects = useProjects(organization.id);
  return (
    <section className="card" aria-label="Plan">
      <Title order={2} size="h4" mb="xs">
        Plan
      </Title>
      <Text className="wrap">
        <b>{organization.plan}</b>
        {organization.plan === "free" ? ": one project" : ""}
        {projects.data !== undefined && `; you may enter ${plural(projects.data.length, "project")}`}
      </Text>
      <Text size="sm" c="dimmed">
        Whoever runs the gateway sets the plan.
      </Text>
    </section>
  );
}

function DeleteOrganization({ organization }: { organization: Organization }) {
  const client = useQueryClient();
  const [, go] = useLocation();
  const [isDeleting, setDeleting] = useState(false);

  async function remove() {
    await call("DELETE", paths.organization(organization.id));
    await refreshEverything(client);
    go("/");
  }

  return (
    <section className="card danger" aria-label="Danger zone">
      <Group justify="space-between">
        <div>
          <Title order={2} size="h4">
            Delete the organization
          </Title>
          <Text size="sm" c="dimmed">
            With all of its projects: their tokens are refused at once, their events erased.
          </Text>
        </div>
        <Button variant="outline" color="red" onClick={() => setDeleting(true)}>
          Delete organization
        </Button>
      </Group>
      <Confirm
        opened={isDeleting}
        onClose={() => setDeleting(false)}
        title="Delete the organization"
        action="Delete organization"
        name={organization.name}
        onConfirm={remove}
      >
        <Text>All of its projects and their events will be gone for good, and nobody can take this back.</Text>
      </Confirm>
    </section>
  );
}
