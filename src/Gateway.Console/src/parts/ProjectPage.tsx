import type { ReactNode } from "react";
import type { MyProject } from "../api/types";
import { useCurrentProject } from "../session";
import { EmptyState } from "./States";

/** A page about the project in the address; where that is none of one's own, it says what to do instead. */
export function ProjectPage({ children }: { children: (project: MyProject) => ReactNode }) {
  const project = useCurrentProject();
  if (project !== undefined) return <>{children(project)}</>;
  return (
    <EmptyState title="There is no such project">
      It does not exist, was deleted or moved away, or you may not enter it. Choose one above, or ask an admin of the
      organization.
    </EmptyState>
  );
}
