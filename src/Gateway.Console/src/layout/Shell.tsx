import { ActionIcon, Drawer } from "@mantine/core";
import { IconMenu2 } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, type RefObject, useEffect, useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import { call, ME_PATH } from "../api/client";
import { updateMe } from "../api/me";
import type { Me, MyProject } from "../api/types";
import { usePlace, useSignedIn } from "../session";
import { AccountMenu } from "./AccountMenu";
import { ProjectSwitcher } from "./ProjectSwitcher";
import { Sidebar } from "./Sidebar";

/** What is around each page. The address alone says which project and organization it is about. */
export function Shell({ children }: { children: ReactNode }) {
  const me = useSignedIn();
  const [location] = useLocation();
  const { project, organization } = usePlace();
  // Open at one address: whoever goes to another has chosen.
  const [menuAt, setMenuAt] = useState<string | null>(null);
  const main = useRef<HTMLElement>(null);
  useRememberedProject(me, project);
  useFocusOfNewPage(main);

  const sidebar = <Sidebar project={project} organization={organization} />;
  return (
    <>
      <a className="skip" href="#content" onClick={(click) => {
        click.preventDefault();
        main.current?.focus();
      }}>
        Skip to the page
      </a>
      <header className="bar">
        <div className="brand">
          <ActionIcon
            className="narrow-only"
            variant="subtle"
            color="gray"
            aria-label="Open the menu"
            onClick={() => setMenuAt(location)}
          >
            <IconMenu2 size={20} aria-hidden />
          </ActionIcon>
          <Link href="/" className="brand" aria-label="Gateway: home">
            <img src="/console/gateway.svg" alt="" />
            <span className="wide-only">Gateway</span>
          </Link>
        </div>
        <ProjectSwitcher current={project} organization={organization} />
        <div className="bar-end">
          <AccountMenu />
        </div>
      </header>
      <div className="frame">
        <nav className="side" aria-label="Pages">
          {sidebar}
        </nav>
        <main className="content" id="content" ref={main} tabIndex={-1}>
          {/* Another project's page begins anew: nothing of the one before is to be seen in it. */}
          <div key={location.split("/").slice(1, location.startsWith("/account") ? 2 : 3).join("/")}>{children}</div>
        </main>
      </div>
      <Drawer opened={menuAt === location} onClose={() => setMenuAt(null)} title="Menu" size="260px">
        <nav aria-label="Pages, in the menu">{sidebar}</nav>
      </Drawer>
    </>
  );
}

/** The gateway keeps it, so that the console opens where one was, on whatever machine. */
function useRememberedProject(me: Me, project: MyProject | undefined): void {
  const client = useQueryClient();
  const chosen = project?.id;
  const known = me.project?.id;
  useEffect(() => {
    if (chosen === undefined || chosen === known) return;
    call<Me>("PATCH", ME_PATH, { body: { current_project: chosen } })
      .then((changed) => updateMe(client, changed))
      .catch(() => {
        // It is a convenience; the page itself says what is wrong, if anything is.
      });
  }, [chosen, known, client]);
}

/** Who goes to another page by keyboard or ear begins at its top; the first one is the browser's. */
function useFocusOfNewPage(main: RefObject<HTMLElement | null>): void {
  const [location] = useLocation();
  const last = useRef(location);
  useEffect(() => {
    if (last.current === location) return;
    last.current = location;
    main.current?.focus({ preventScroll: true });
  }, [location, main]);
}
