import { Anchor, Button, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { ApiError, call } from "../../api/client";
import { refreshMe } from "../../api/me";
import { signOut } from "../../api/signOut";
import type { InviteView, Me } from "../../api/types";
import { browserZone, formatTime } from "../../format";
import { FormBody } from "../../parts/FormBody";
import { ErrorState, Loading } from "../../parts/States";
import { useForm } from "../../parts/useForm";
import { levels } from "../../session";
import { JoinFrame } from "./JoinFrame";
import { SignInForm } from "./SignInPage";

interface InvitePageProps {
  secret: string;
  me: Me | null;
}

/** What an invite's link opens: it says who invites whom, and takes one in. */
export function InvitePage({ secret, me }: InvitePageProps) {
  const path = `/api/invites/${encodeURIComponent(secret)}/`;
  const invite = useQuery({
    queryKey: ["invite", secret, me?.id],
    queryFn: ({ signal }) => call<InviteView>("GET", path, { signal }),
    // Who tries again may have used it up meanwhile; a wrong one counts as a guess.
    retry: false,
    refetchOnWindowFocus: false,
  });

  if (invite.isPending) return <Loading />;
  if (invite.data === undefined) {
    const isOver = invite.error instanceof ApiError && invite.error.status === 404;
    return (
      <JoinFrame title={isOver ? "This invite is over" : "The invite could not be read"}>
        {isOver ? (
          <Text>
            It was used or withdrawn, or its three days are over. Ask who sent it for a new one. If you have joined
            already, <Anchor href="/" underline="always">go to the console</Anchor>.
          </Text>
        ) : (
          <ErrorState error={invite.error} onRetry={invite.refetch} />
        )}
      </JoinFrame>
    );
  }

  return (
    <JoinFrame title={`Join ${invite.data.organization_name}`}>
      <Stack>
        <Text size="sm" c="dimmed">
          {invite.data.email} is invited as {levels[invite.data.level].toLowerCase()}, until{" "}
          {formatTime(invite.data.expires_at, browserZone)}.
        </Text>
        <Join path={path} invite={invite.data} me={me} />
      </Stack>
    </JoinFrame>
  );
}

interface JoinProps {
  path: string;
  invite: InviteView;
  me: Me | null;
}

function Join({ path, invite, me }: JoinProps) {
  const client = useQueryClient();
  const [, go] = useLocation();
  const [hasAccount, setHasAccount] = useState(false);
  const form = useForm({ first_name: "", last_name: "", password: "" });
  const isMine = me !== null && me.email.toLowerCase() === invite.email.toLowerCase();

  async function accept(body: object) {
    try {
      await call("POST", path, { body });
      await refreshMe(client);
      go("/", { replace: true });
    } catch (error) {
      // The gateway says so only to whoever has the link: the address has an account, and its password is asked for.
      if (error instanceof ApiError && error.code === "sign_in_required") setHasAccount(true);
      throw error;
    }
  }

  if (isMine) {
    return (
      <FormBody label="Join" problem={form.problem} onSubmit={() => form.submit(() => accept({}))}>
        <Button type="submit" loading={form.busy}>
          Join as {me.email}
        </Button>
      </FormBody>
    );
  }

  if (me !== null) {
    return (
      <Stack>
        <Text>
          You are signed in as <b className="wrap">{me.email}</b>, and the invite is for another address. Sign out to
          accept it.
        </Text>
        <Button onClick={() => void signOut(client)}>Sign out</Button>
      </Stack>
    );
  }

  if (hasAccount) {
    return (
      <Stack>
        <Text>There is an account with this address. Sign in with it, and then join.</Text>
        <SignInForm email={invite.email} />
      </Stack>
    );
  }

  return (
    <>
      <FormBody label="Join" problem={form.problem} onSubmit={() => form.submit(accept)}>
        <TextInput label="First name" autoComplete="given-name" {...form.text("first_name")} />
        <TextInput label="Last name" autoComplete="family-name" {...form.text("last_name")} />
        <PasswordInput
          label="Choose a password"
          description="At least 8 characters"
          autoComplete="new-password"
          {...form.text("password")}
        />
        <Button type="submit" loading={form.busy}>
          Join
        </Button>
      </FormBody>
      <Anchor component="button" size="sm" underline="always" onClick={() => setHasAccount(true)}>
        I have an account
      </Anchor>
    </>
  );
}
