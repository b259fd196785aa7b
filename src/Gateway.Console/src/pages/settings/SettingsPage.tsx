import { Alert } from "@mantine/core";
import { useProject } from "../../api/queries";
import type { MyProject } from "../../api/types";
import { ProjectPage } from "../../parts/ProjectPage";
import { Answered, PageHead } from "../../parts/States";
import { findOrganization, isAdmin, useSignedIn } from "../../session";
import { DangerZone } from "./DangerZone";
import { GeneralSettings } from "./GeneralSettings";
import { ProjectAccess } from "./ProjectAccess";
import { TokenSettings } from "./TokenSettings";

export function SettingsPage() {
  return <ProjectPage>{(project) => <Settings project={project} />}</ProjectPage>;
}

/** A member sees how the project is set; an admin of it changes that; an admin of the organization may take it away. */
function Settings({ project }: { project: MyProject }) {
  const me = useSignedIn();
  const settings = useProject(project.id);
  return (
    <>
      <PageHead title="Project settings" />
      <Answered query={settings}>
        {(current) => {
          const mayChange = current.access_level === "admin";
          return (
            <>
              {!mayChange && (
                <Alert color="gray" mb="md">
                  You can read these settings. An admin of the project changes them.
                </Alert>
              )}
              <TokenSettings project={current} mayChange={mayChange} />
              <GeneralSettings project={current} mayChange={mayChange} />
              <ProjectAccess project={current} mayChange={mayChange} />
              {isAdmin(findOrganization(me, current.organization)) && <DangerZone project={current} />}
            </>
          );
        }}
      </Answered>
    </>
  );
}
