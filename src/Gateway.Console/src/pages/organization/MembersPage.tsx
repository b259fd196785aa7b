import { Badge, Button, Select, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { call } from "../../api/client";
import { paths, refreshEverything, useMembers } from "../../api/queries";
import type { Member, MyOrganization, OrganizationLevel } from "../../api/types";
import { browserZone, formatDay, plural } from "../../format";
import { Confirm } from "../../parts/Confirm";
import { OfOrganization } from "../../parts/OfOrganization";
import { SearchField } from "../../parts/SearchField";
import { Answered, PageHead } from "../../parts/States";
import { useChange } from "../../parts/useChange";
import { type Column, VirtualTable } from "../../parts/VirtualTable";
import { isAdmin, levels, useSignedIn } from "../../session";
import { Invites } from "./Invites";
import { levelChoices } from "./levelChoices";

export function MembersPage() {
  return <OfOrganization>{(organization) => <Members organization={organization} />}</OfOrganization>;
}

function Members({ organization }: { organization: MyOrganization }) {
  const members = useMembers(organization.id);
  const [search, setSearch] = useState("");
  const wanted = search.trim().toLowerCase();
  const fits = ({ user }: Member) => `${user.email} ${nameOf(user)}`.toLowerCase().includes(wanted);

  return (
    <>
      <PageHead title="Members" />
      <Answered query={members}>
        {(all) => (
          <>
            <SearchField label="Search members" value={search} onChange={setSearch} />
            <Text size="sm" c="dimmed" mb="xs" role="status">
              {plural(wanted === "" ? all.length : all.filter(fits).length, "member")}
            </Text>
            <MemberTable organization={organization} members={wanted === "" ? all : all.filter(fits)} />
          </>
        )}
      </Answered>
      {isAdmin(organization) && <Invites organization={organization} />}
    </>
  );
}

interface MemberTableProps {
  organization: MyOrganization;
  members: Member[];
}

/** An admin changes levels up to their own, and never their own. */
function MemberTable({ organization, members }: MemberTableProps) {
  const me = useSignedIn();
  const client = useQueryClient();
  const [, go] = useLocation();
  const [leaving, setLeaving] = useState<Member | null>(null);
  const [raising, setRaising] = useState<Member | null>(null);
  const path = (member: Member) => `${paths.organization(organization.id)}members/${member.user.id}/`;
  const mayChange = (member: Member) =>
    isAdmin(organization) && member.user.id !== me.id && member.level <= organization.membership_level;
  const setLevel = useChange(
    ({ member, level }: { member: Member; level: OrganizationLevel }) =>
      call("PATCH", path(member), { body: { level } }),
    { keys: [["organization", organization.id]] },
  );

  async function remove() {
    if (leaving === null) return;
    await call("DELETE", path(leaving));
    // What one may still enter is known before one goes there.
    await refreshEverything(client);
    if (leaving.user.id === me.id) go("/");
  }

  const columns: Column<Member>[] = [
    {
      title: "Member",
      cell: ({ user }) => (
        <>
          <div className="wrap">{nameOf(user) || user.email}</div>
          <Text size="xs" c="dimmed" className="wrap">
            {user.email}
          </Text>
        </>
      ),
    },
    {
      title: "Last seen",
      width: "120px",
      isExtra: true,
      cell: ({ last_login }) => (last_login === null ? "never" : formatDay(last_login, browserZone)),
    },
    {
      title: "Level",
      width: "150px",
      cell: (member) =>
        mayChange(member) ? (
          <Select
            aria-label={`Level of ${member.user.email}`}
            size="xs"
            data={levelChoices(organization.membership_level)}
            value={String(member.level)}
            onChange={(level) => {
              if (level === "15") setRaising(member);
              else if (level !== null) setLevel.mutate({ member, level: Number(level) as OrganizationLevel });
            }}
            allowDeselect={false}
          />
        ) : (
          <Badge variant="light" tt="none">
            {levels[member.level]}
          </Badge>
        ),
    },
    {
      title: "Change",
      width: "110px",
      cell: (member) =>
        (mayChange(member) || member.user.id === me.id) && (
          <Button
            size="compact-sm"
            variant="subtle"
            color="red"
            aria-label={member.user.id === me.id ? "Leave the organization" : `Remove ${member.user.email}`}
            onClick={() => setLeaving(member)}
          >
            {member.user.id === me.id ? "Leave" : "Remove"}
          </Button>
        ),
    },
  ];

  return (
    <>
      <VirtualTable
        label="Members"
        rows={members}
        columns={columns}
        keyOf={({ user }) => user.id}
        rowHeight={58}
        minWidth={480}
      />
      <Confirm
        opened={raising !== null}
        onClose={() => setRaising(null)}
        title="Make an owner"
        action="Make an owner"
        onConfirm={async () => raising !== null && setLevel.mutateAsync({ member: raising, level: 15 })}
      >
        <Text className="wrap">
          {raising?.user.email ?? ""} may do all that you may then: delete the organization, and remove you.
        </Text>
      </Confirm>
      <Confirm
        opened={leaving !== null}
        onClose={() => setLeaving(null)}
        title={leaving?.user.id === me.id ? "Leave the organization" : "Remove the member"}
        action={leaving?.user.id === me.id ? "Leave" : "Remove"}
        onConfirm={remove}
      >
        <Text className="wrap">
          {leaving?.user.id === me.id
            ? `You will enter no project of ${organization.name} any more, nor will your keys.`
            : `${leaving?.user.email ?? ""} will enter no project of ${organization.name} any more, from their next request on; nor will their keys.`}
        </Text>
      </Confirm>
    </>
  );
}

function nameOf(user: Member["user"]): string {
  return `${user.first_name} ${user.last_name}`.trim();
}
