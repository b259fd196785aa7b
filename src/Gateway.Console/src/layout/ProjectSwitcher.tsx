import { Button, Combobox, Text, useCombobox } from "@mantine/core";
import { IconPlus, IconSelector } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useLocation } from "wouter";
import type { MyOrganization, MyProject } from "../api/types";
import { isAdmin, organizationPath, projectPath, useSignedIn } from "../session";
import { NewProject } from "./NewProject";

/** More are found by typing. */
const MOST_SHOWN = 60;

interface ProjectSwitcherProps {
  current: MyProject | undefined;
  organization: MyOrganization | undefined;
}

/** All projects that one may enter, by organization. The page stays the same one where another project has it too. */
export function ProjectSwitcher({ current, organization }: ProjectSwitcherProps) {
  const me = useSignedIn();
  const [location, go] = useLocation();
  const [search, setSearch] = useState("");
  const [isMaking, setMaking] = useState(false);
  const combobox = useCombobox({
    onDropdownClose: () => {
      combobox.resetSelectedOption();
      setSearch("");
    },
    onDropdownOpen: () => combobox.focusSearchInput(),
  });
  const { groups, hidden } = useMemo(() => find(me.organizations, search), [me.organizations, search]);
  const makers = me.organizations.filter(isAdmin);

  function choose(value: string) {
    combobox.closeDropdown();
    combobox.focusTarget();
    if (value === "new") setMaking(true);
    else if (value.startsWith("organization ")) go(organizationPath(value.slice("organization ".length)));
    else go(projectPath(Number(value), pageOf(location)));
  }

  const label = current?.name ?? organization?.name ?? "Choose a project";
  return (
    <>
      <Combobox store={combobox} onOptionSubmit={choose} width={340} position="bottom" withinPortal>
        <Combobox.Target targetType="button">
          <Button
            className="switcher"
            variant="default"
            rightSection={<IconSelector size={16} aria-hidden />}
            onClick={() => combobox.toggleDropdown()}
            aria-label={`Project: ${label}. Switch`}
          >
            <span className="cut">{label}</span>
          </Button>
        </Combobox.Target>
        <Combobox.Dropdown>
          <Combobox.Search
            value={search}
            onChange={(change) => {
              setSearch(change.currentTarget.value);
              combobox.updateSelectedOptionIndex();
            }}
            placeholder="Search projects and organizations"
            aria-label="Search projects and organizations"
          />
          <Combobox.Options mah={360} className="switcher-options" aria-label="Projects">
            {groups.map(({ organization: group, projects }) => (
              <Combobox.Group key={group.id} label={group.name}>
                {projects.map((project) => (
                  <Combobox.Option key={project.id} value={String(project.id)} active={project.id === current?.id}>
                    <span className="wrap">{project.name}</span>
                  </Combobox.Option>
                ))}
                <Combobox.Option value={`organization ${group.id}`}>
                  <Text span size="sm" c="dimmed" className="wrap">
                    About {group.name}
                  </Text>
                </Combobox.Option>
              </Combobox.Group>
            ))}
            {groups.length === 0 && <Combobox.Empty>Nothing is called so</Combobox.Empty>}
          </Combobox.Options>
          {hidden > 0 && (
            <Combobox.Footer>
              <Text size="xs" c="dimmed">
                {hidden} more: type a part of the name
              </Text>
            </Combobox.Footer>
          )}
          {makers.length > 0 && (
            <Combobox.Footer>
              <Button
                variant="subtle"
                size="xs"
                fullWidth
                leftSection={<IconPlus size={14} aria-hidden />}
                onClick={() => choose("new")}
              >
                New project
              </Button>
            </Combobox.Footer>
          )}
        </Combobox.Dropdown>
      </Combobox>
      <NewProject
        opened={isMaking}
        onClose={() => setMaking(false)}
        organizations={makers}
        current={organization?.id}
      />
    </>
  );
}

interface Found {
  groups: { organization: MyOrganization; projects: MyProject[] }[];
  hidden: number;
}

/** An organization whose name fits shows all of its projects. */
function find(organizations: readonly MyOrganization[], search: string): Found {
  const wanted = search.trim().toLowerCase();
  const fits = (name: string) => name.toLowerCase().includes(wanted);
  let room = MOST_SHOWN;
  let hidden = 0;
  const groups = organizations.flatMap((organization) => {
    const matching = fits(organization.name)
      ? organization.projects
      : organization.projects.filter((project) => fits(project.name));
    if (matching.length === 0 && !fits(organization.name)) return [];

    const projects = matching.slice(0, room);
    room -= projects.length;
    hidden += matching.length - projects.length;
    return [{ organization, projects }];
  });
  return { groups, hidden };
}

/** A filter or a query of one project means nothing in another: only the page's name goes along. */
function pageOf(location: string): string {
  const [, kind, , page] = location.split("/");
  return kind === "project" && page !== undefined ? page : "live";
}
