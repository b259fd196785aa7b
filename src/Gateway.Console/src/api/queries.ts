/** What the pages read, each under a key by which a change makes it be read again. */

import { type QueryClient, useQuery } from "@tanstack/react-query";
import { call, callAll, gatewayNow } from "./client";
import { refreshMe } from "./me";
import type {
  DeletedProject,
  Freshness,
  Health,
  Invite,
  Ledger,
  Member,
  Organization,
  PersonalKey,
  Project,
  ProjectMember,
} from "./types";

const encode = encodeURIComponent;

export const paths = {
  organization: (id: string) => `/api/organizations/${encode(id)}/`,
  project: (id: number) => `/api/projects/${id}/`,
};

export function useProject(id: number) {
  return useQuery({
    queryKey: ["project", id],
    queryFn: ({ signal }) => call<Project>("GET", paths.project(id), { signal }),
  });
}

export function useProjectMembers(id: number) {
  return useQuery({
    queryKey: ["project", id, "members"],
    queryFn: ({ signal }) => callAll<ProjectMember>(`${paths.project(id)}members/`, signal),
  });
}

export function useOrganization(id: string) {
  return useQuery({
    queryKey: ["organization", id],
    queryFn: ({ signal }) => call<Organization>("GET", paths.organization(id), { signal }),
  });
}

export function useMembers(organization: string) {
  return useQuery({
    queryKey: ["organization", organization, "members"],
    queryFn: ({ signal }) => callAll<Member>(`${paths.organization(organization)}members/`, signal),
  });
}

export function useInvites(organization: string) {
  return useQuery({
    queryKey: ["organization", organization, "invites"],
    queryFn: ({ signal }) => callAll<Invite>(`${paths.organization(organization)}invites/`, signal),
  });
}

export function useProjects(organization: string) {
  return useQuery({
    queryKey: ["organization", organization, "projects"],
    queryFn: ({ signal }) => callAll<Project>(`${paths.organization(organization)}projects/`, signal),
  });
}

/** Asked again while something is still being erased. */
export function useDeletedProjects(organization: string) {
  return useQuery({
    queryKey: ["organization", organization, "deleted"],
    queryFn: ({ signal }) => callAll<DeletedProject>(`${paths.organization(organization)}deleted_projects/`, signal),
    refetchInterval: ({ state }) => (state.data?.every((project) => project.state === "erased") ? false : 2000),
  });
}

export function usePersonalKeys() {
  return useQuery({
    queryKey: ["keys"],
    queryFn: ({ signal }) => callAll<PersonalKey>("/api/personal_api_keys/", signal),
  });
}

export function useLedger(project: number, minutes: number) {
  return useQuery({
    queryKey: ["project", project, "ledger", minutes],
    queryFn: ({ signal }) => call<Ledger>("GET", `${paths.project(project)}ledger/${range(minutes)}`, { signal }),
    refetchInterval: 5000,
  });
}

export function useHealth(project: number, minutes: number) {
  return useQuery({
    queryKey: ["project", project, "health", minutes],
    queryFn: ({ signal }) => call<Health>("GET", `${paths.project(project)}health/${range(minutes)}`, { signal }),
    refetchInterval: 5000,
  });
}

export function useFreshness(project: number) {
  return useQuery({
    queryKey: ["project", project, "freshness"],
    queryFn: ({ signal }) => call<Freshness>("GET", `${paths.project(project)}freshness/`, { signal }),
    refetchInterval: 5000,
  });
}

/** After a change of what the whole console shows: names, projects, what one may do. */
export async function refreshEverything(client: QueryClient): Promise<void> {
  await refreshMe(client);
  // Whatever else is on the page follows; nobody waits for a query of events.
  void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== "me" });
}

/** By the gateway's clock, which has the last word; one minute less, should it turn on the way. */
function range(minutes: number): string {
  return `?from=${encode(new Date(gatewayNow() - (minutes - 2) * 60_000).toISOString())}`;
}
