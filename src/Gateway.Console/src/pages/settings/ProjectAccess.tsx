import { Badge, Select, Switch, Title } from "@mantine/core";
import { useState } from "react";
import { call } from "../../api/client";
import { paths, useProjectMembers } from "../../api/queries";
import type { Project, ProjectLevel, ProjectMember } from "../../api/types";
import { SearchField } from "../../parts/SearchField";
import { Answered } from "../../parts/States";
import { useChange } from "../../parts/useChange";
import { type Column, VirtualTable } from "../../parts/VirtualTable";
import { levels } from "../../session";

/** The project's own word about a member, or what holds without one. */
const choices = [
  { value: "default", label: "As all others" },
  { value: "none", label: "No access" },
  { value: "member", label: "Member" },
  { value: "admin", label: "Admin" },
];

interface ProjectAccessProps {
  project: Project;
  mayChange: boolean;
}

/** Who may enter: everybody of the organization or only those named; its admins and owners always. */
export function ProjectAccess({ project, mayChange }: ProjectAccessProps) {
  const members = useProjectMembers(project.id);
  const [search, setSearch] = useState("");
  const keys = [["project", project.id], ["me"], ["organization", project.organization]];
  const setDefault = useChange(
    (open: boolean) =>
      call("PATCH", paths.project(project.id), { body: { default_access: open ? "member" : "none" } }),
    { keys },
  );
  const setLevel = useChange(
    ({ user, level }: { user: string; level: string }) =>
      level === "default"
        ? call("DELETE", `${paths.project(project.id)}members/${user}/`)
        : call("PATCH", `${paths.project(project.id)}members/${user}/`, { body: { level } }),
    { keys },
  );

  const columns: Column<ProjectMember>[] = [
    { title: "Member", cell: (member) => <div className="wrap">{member.email}</div> },
    {
      title: "In the organization",
      isExtra: true,
      width: "170px",
      cell: (member) => levels[member.organization_level],
    },
    {
      title: "Here",
      width: "190px",
      cell: (member) =>
        mayChange && member.organization_level < 8 ? (
          <Select
            aria-label={`Access of ${member.email}`}
            size="xs"
            data={choices}
            value={member.own_level ?? "default"}
            onChange={(level) => level !== null && setLevel.mutate({ user: member.user, level })}
            allowDeselect={false}
          />
        ) : (
          <LevelBadge level={member.level} />
        ),
    },
  ];

  const wanted = search.trim().toLowerCase();
  return (
    <section className="card" aria-label="Access">
      <Title order={2} size="h4" mb="sm">
        Who may enter
      </Title>
      <Switch
        label="All members of the organization"
        description="Off: only those who are named below, and the organization's admins and owners"
        checked={project.default_access === "member"}
        disabled={!mayChange || setDefault.isPending}
        onChange={(change) => setDefault.mutate(change.currentTarget.checked)}
        mb="sm"
      />
      <Answered query={members}>
        {(all) => (
          <>
            {all.length > 10 && (
              <SearchField label="Search members" value={search} onChange={setSearch} />
            )}
            <VirtualTable
              label="Who may enter"
              rows={wanted === "" ? all : all.filter((member) => member.email.toLowerCase().includes(wanted))}
              columns={columns}
              keyOf={(member) => member.user}
              rowHeight={47}
            />
          </>
        )}
      </Answered>
    </section>
  );
}

function LevelBadge({ level }: { level: ProjectLevel }) {
  return (
    <Badge variant="light" color={level === "none" ? "gray" : "indigo"} tt="none">
      {level === "none" ? "No access" : level === "admin" ? "Admin" : "Member"}
    </Badge>
  );
}
