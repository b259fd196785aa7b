import { useEffect } from "react";
import { Redirect, Route, Switch, useLocation } from "wouter";
import { useMe } from "./api/me";
import type { Me } from "./api/types";
import { Shell } from "./layout/Shell";
import { AccountPage } from "./pages/account/AccountPage";
import { KeysPage } from "./pages/account/KeysPage";
import { ExplorePage } from "./pages/explore/ExplorePage";
import { HealthPage } from "./pages/health/HealthPage";
import { InvitePage } from "./pages/join/InvitePage";
import { SignInPage } from "./pages/join/SignInPage";
import { SignUpPage } from "./pages/join/SignUpPage";
import { LivePage } from "./pages/live/LivePage";
import { AuditPage } from "./pages/organization/AuditPage";
import { MembersPage } from "./pages/organization/MembersPage";
import { OrganizationPage } from "./pages/organization/OrganizationPage";
import { ProjectsPage } from "./pages/organization/ProjectsPage";
import { QuarantinePage } from "./pages/quarantine/QuarantinePage";
import { SettingsPage } from "./pages/settings/SettingsPage";
import { StartPage } from "./pages/start/StartPage";
import { PageBoundary } from "./parts/PageBoundary";
import { EmptyState, ErrorState, Loading } from "./parts/States";
import { MeContext, organizationPath, projectPath } from "./session";

/** Who is there decides what there is: nobody sees the sign-in, at whatever address, and stays there afterwards. */
export function App() {
  const me = useMe();
  return (
    <Switch>
      <Route path="/invite/:secret">
        {({ secret }) => (me.isPending ? <Loading /> : <InvitePage secret={secret} me={me.data ?? null} />)}
      </Route>
      <Route path="/sign-up">{me.data ? <Redirect to="/" /> : <SignUpPage />}</Route>
      <Route>
        {me.isPending ? (
          <Loading />
        ) : me.data === undefined ? (
          <div className="centered">
            <ErrorState error={me.error} onRetry={me.refetch} />
          </div>
        ) : me.data === null ? (
          <SignInPage />
        ) : (
          <MeContext value={me.data}>
            <Shell key={me.data.id}>
              <PageBoundary>
                <Pages me={me.data} />
              </PageBoundary>
            </Shell>
          </MeContext>
        )}
      </Route>
    </Switch>
  );
}

function Pages({ me }: { me: Me }) {
  const [location] = useLocation();
  useEffect(() => {
    // Not its answer: newer browsers give a promise, which is no way to end an effect.
    window.scrollTo(0, 0);
  }, [location]);

  return (
    <Switch>
      <Route path="/">
        <Home me={me} />
      </Route>
      <Route path="/sign-in">
        <Redirect to="/" replace />
      </Route>
      <Route path="/project/:projectId">
        {({ projectId }) => <Redirect to={projectPath(Number(projectId))} replace />}
      </Route>
      <Route path="/project/:projectId/start" component={StartPage} />
      <Route path="/project/:projectId/live" component={LivePage} />
      <Route path="/project/:projectId/quarantine" component={QuarantinePage} />
      <Route path="/project/:projectId/explore" component={ExplorePage} />
      <Route path="/project/:projectId/health" component={HealthPage} />
      <Route path="/project/:projectId/settings" component={SettingsPage} />
      <Route path="/organization/:organizationId">
        {({ organizationId }) => <Redirect to={organizationPath(organizationId)} replace />}
      </Route>
      <Route path="/organization/:organizationId/members" component={MembersPage} />
      <Route path="/organization/:organizationId/projects" component={ProjectsPage} />
      <Route path="/organization/:organizationId/audit-log" component={AuditPage} />
      <Route path="/organization/:organizationId/general" component={OrganizationPage} />
      <Route path="/account" component={AccountPage} />
      <Route path="/account/keys" component={KeysPage} />
      <Route>
        <EmptyState title="There is no such page">Choose one at the left, or a project above.</EmptyState>
      </Route>
    </Switch>
  );
}

/** Where one was last: to the events, or to the snippets when there is none yet (the live page says so). */
function Home({ me }: { me: Me }) {
  if (me.project !== null) return <Redirect to={projectPath(me.project.id)} replace />;
  const organization = me.organization ?? me.organizations[0];
  if (organization !== undefined) return <Redirect to={organizationPath(organization.id, "projects")} replace />;
  return (
    <EmptyState title="You are in no organization">
      Ask for an invite, or make an organization of your own from the menu with your name.
    </EmptyState>
  );
}
