import { createContext, useContext } from "react";
import { useLocation, useParams } from "wouter";
import type { Me, MyOrganization, MyProject, OrganizationLevel } from "./api/types";

export const MeContext = createContext<Me | null>(null);

/** Who is signed in; below the shell there is always somebody. */
export function useSignedIn(): Me {
  const me = useContext(MeContext);
  if (me === null) throw new Error("Nobody is signed in here.");
  return me;
}

/** The project that the address names; undefined when it is none of ours. */
export function useCurrentProject(): MyProject | undefined {
  const me = useSignedIn();
  const { projectId } = useParams<{ projectId?: string }>();
  return projectId === undefined ? undefined : findProject(me, Number(projectId));
}

export function findProject(me: Me, id: number): MyProject | undefined {
  return me.organizations.flatMap((organization) => organization.projects).find((project) => project.id === id);
}

export function findOrganization(me: Me, id: string | undefined): MyOrganization | undefined {
  return me.organizations.find((organization) => organization.id === id);
}

export const levels: Record<OrganizationLevel, string> = { 1: "Member", 8: "Admin", 15: "Owner" };

export function isAdmin(organization: { membership_level: OrganizationLevel } | undefined): boolean {
  return (organization?.membership_level ?? 1) >= 8;
}

export function projectPath(id: number, page = "live"): string {
  return `/project/${id}/${page}`;
}

export function organizationPath(id: string, page = "members"): string {
  return `/organization/${id}/${page}`;
}

export interface Place {
  project: MyProject | undefined;
  organization: MyOrganization | undefined;
}

/**
 * What the address is about. An organization's and an account's pages keep the project last looked at beside them.
 */
export function usePlace(): Place {
  const me = useSignedIn();
  const [location] = useLocation();
  const [, kind, id] = location.split("/");
  if (kind === "project") {
    const project = findProject(me, Number(id));
    return { project, organization: findOrganization(me, project?.organization) };
  }
  if (kind === "organization") {
    const organization = findOrganization(me, id);
    const project = me.project?.organization === id ? me.project : undefined;
    return { project: project ?? undefined, organization };
  }
  return { project: me.project ?? undefined, organization: me.organization ?? undefined };
}
