import { Alert, Badge, Button, Group, Loader, Text, Title } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import { useDeletedProjects, useProjects } from "../../api/queries";
import type { DeletedProject, MyOrganization, Project } from "../../api/types";
import { browserZone, formatTime, plural } from "../../format";
import { NewProject } from "../../layout/NewProject";
import { OfOrganization } from "../../parts/OfOrganization";
import { SearchField } from "../../parts/SearchField";
import { Answered, EmptyState, PageHead } from "../../parts/States";
import { type Column, VirtualTable } from "../../parts/VirtualTable";
import { isAdmin, projectPath } from "../../session";

/** The organization's projects, who may enter them, and what becomes of deleted ones. */
export function ProjectsPage() {
  return <OfOrganization>{(organization) => <Projects organization={organization} />}</OfOrganization>;
}

function Projects({ organization }: { organization: MyOrganization }) {
  const projects = useProjects(organization.id);
  const [search, setSearch] = useState("");
  const [isMaking, setMaking] = useState(false);
  const mayMake = isAdmin(organization);
  const wanted = search.trim().toLowerCase();

  return (
    <>
      <PageHead title="Projects">
        {mayMake && (
          <Button size="xs" onClick={() => setMaking(true)}>
            New project
          </Button>
        )}
      </PageHead>
      <Answered query={projects}>
        {(all) =>
          all.length === 0 ? (
            <EmptyState title="No project here is yours to enter">
              {mayMake ? "Make one." : "Ask an admin of the organization to let you into one."}
            </EmptyState>
          ) : (
            <>
              <SearchField label="Search projects" value={search} onChange={setSearch} />
              <Text size="sm" c="dimmed" mb="xs" role="status">
                {plural(matching(all, wanted).length, "project")}
              </Text>
              <VirtualTable
                label="Projects"
                rows={matching(all, wanted)}
                columns={columns}
                keyOf={(project) => project.id}
              />
            </>
          )
        }
      </Answered>
      {mayMake && <Deleted organization={organization} />}
      <NewProject
        opened={isMaking}
        onClose={() => setMaking(false)}
        organizations={[organization]}
        current={organization.id}
      />
    </>
  );
}

const columns: Column<Project>[] = [
  {
    title: "Project",
    cell: (project) => (
      <Link href={projectPath(project.id)} className="cut table-link">
        {project.name}
      </Link>
    ),
  },
  {
    title: "Time zone",
    width: "180px",
    isExtra: true,
    cell: (project) => <div className="cut">{project.timezone}</div>,
  },
  {
    title: "Who may enter",
    width: "150px",
    cell: (project) => (
      <Link href={projectPath(project.id, "settings")} className="table-link">
        {project.default_access === "member" ? "All members" : "Those named"}
      </Link>
    ),
  },
  {
    title: "You",
    width: "100px",
    isExtra: true,
    cell: (project) => (
      <Badge variant="light" tt="none">
        {project.access_level === "admin" ? "Admin" : "Member"}
      </Badge>
    ),
  },
];

function matching(projects: Project[], wanted: string): Project[] {
  return wanted === "" ? projects : projects.filter((project) => project.name.toLowerCase().includes(wanted));
}

/** Deleted projects on their way out; it is asked again until nothing of them is left. */
function Deleted({ organization }: { organization: MyOrganization }) {
  const deleted = useDeletedProjects(organization.id);
  if (deleted.data === undefined || deleted.data.length === 0) return null;
  return (
    <section className="spaced" aria-label="Deleted projects">
      <Title order={2} size="h4" mb="xs">
        Deleted projects
      </Title>
      {deleted.data.slice(0, 20).map((project) => (
        <DeletedRow key={project.id} project={project} />
      ))}
      {deleted.data.length > 20 && (
        <Text size="sm" c="dimmed">
          And {plural(deleted.data.length - 20, "older one")}.
        </Text>
      )}
    </section>
  );
}

function DeletedRow({ project }: { project: DeletedProject }) {
  return (
    <Alert color={project.state === "erased" ? "gray" : "yellow"} mb="xs" title={project.name} className="wrap">
      <Group gap="xs">
        {project.state !== "erased" && <Loader size="xs" aria-hidden />}
        <Text size="sm">{told(project)}</Text>
      </Group>
    </Alert>
  );
}

function told(project: DeletedProject): string {
  const since = `Deleted ${formatTime(project.deleted_at, browserZone)}.`;
  const rows = plural(project.erased_rows, "event");
  switch (project.state) {
    case "waiting":
      return project.waits_for_gateways > 0
        ? `${since} Refused and unreadable; waiting for ${plural(project.waits_for_gateways, "gateway")} to let go of it.`
        : `${since} Refused and unreadable; its events are erased soon.`;
    case "erasing":
      return `${since} ${rows} erased so far.`;
    case "erased":
      return `${since} ${rows} erased, until ${formatTime(project.erased_at ?? project.deleted_at, browserZone)}.`;
  }
}
