import { NavLink } from "@mantine/core";
import {
  IconActivity,
  IconBook,
  IconBuilding,
  IconChartLine,
  IconFolder,
  IconHeartbeat,
  IconKey,
  IconRocket,
  IconSettings,
  IconShieldExclamation,
  IconUser,
  IconUsers,
} from "@tabler/icons-react";
import type { ComponentType } from "react";
import { Link, useLocation } from "wouter";
import type { MyOrganization, MyProject } from "../api/types";
import { isAdmin, organizationPath, projectPath } from "../session";

interface SidebarProps {
  project: MyProject | undefined;
  organization: MyOrganization | undefined;
}

/** The pages of the project, of its organization, and one's own. What one may not see is not in it. */
export function Sidebar({ project, organization }: SidebarProps) {
  return (
    <>
      {project && (
        <>
          <div className="side-title" title={project.name}>
            {project.name}
          </div>
          <Item to={projectPath(project.id, "live")} label="Live events" icon={IconActivity} />
          <Item to={projectPath(project.id, "quarantine")} label="Quarantine" icon={IconShieldExclamation} />
          <Item to={projectPath(project.id, "explore")} label="Explore" icon={IconChartLine} />
          <Item to={projectPath(project.id, "health")} label="Health" icon={IconHeartbeat} />
          <Item to={projectPath(project.id, "start")} label="Send events" icon={IconRocket} />
          <Item to={projectPath(project.id, "settings")} label="Project settings" icon={IconSettings} />
        </>
      )}
      {organization && (
        <>
          <div className="side-title" title={organization.name}>
            {organization.name}
          </div>
          <Item to={organizationPath(organization.id, "members")} label="Members" icon={IconUsers} />
          <Item to={organizationPath(organization.id, "projects")} label="Projects" icon={IconFolder} />
          {isAdmin(organization) && (
            <Item to={organizationPath(organization.id, "audit-log")} label="Audit log" icon={IconBook} />
          )}
          <Item to={organizationPath(organization.id, "general")} label="Organization" icon={IconBuilding} />
        </>
      )}
      <div className="side-title">You</div>
      <Item to="/account/keys" label="Personal API keys" icon={IconKey} />
      <Item to="/account" label="Account" icon={IconUser} />
    </>
  );
}

interface ItemProps {
  to: string;
  label: string;
  icon: ComponentType<{ size?: number; "aria-hidden"?: boolean }>;
}

function Item({ to, label, icon: Icon }: ItemProps) {
  const [location] = useLocation();
  const isHere = location === to;
  return (
    <NavLink
      component={Link}
      href={to}
      label={label}
      active={isHere}
      aria-current={isHere ? "page" : undefined}
      leftSection={<Icon size={17} aria-hidden />}
    />
  );
}
