import type { ReactNode } from "react";
import { useParams } from "wouter";
import type { MyOrganization } from "../api/types";
import { findOrganization, useSignedIn } from "../session";
import { EmptyState } from "./States";

/** A page about the organization in the address. */
export function OfOrganization({ children }: { children: (organization: MyOrganization) => ReactNode }) {
  const me = useSignedIn();
  const { organizationId } = useParams<{ organizationId: string }>();
  const organization = findOrganization(me, organizationId);
  if (organization !== undefined) return <>{children(organization)}</>;
  return (
    <EmptyState title="There is no such organization">
      It does not exist, or you are not a member of it. Choose one above, or ask for an invite.
    </EmptyState>
  );
}
