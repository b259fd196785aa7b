import { Anchor, Button, PasswordInput, Text, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "wouter";
import { call } from "../../api/client";
import { becomeMe } from "../../api/me";
import type { Me } from "../../api/types";
import { FormBody } from "../../parts/FormBody";
import { useForm } from "../../parts/useForm";
import { JoinFrame } from "./JoinFrame";

export function SignInPage() {
  return (
    <JoinFrame title="Sign in">
      <SignInForm />
      <Text size="sm" c="dimmed" mt="md">
        No account? You get one with an invite&apos;s link; ask an admin of your organization. Where everybody may, you can{" "}
        <Anchor component={Link} href="/sign-up" inherit underline="always">
          sign up
        </Anchor>
        .
      </Text>
    </JoinFrame>
  );
}

/** Signing in leaves one where one is: the address may be a link that somebody sent. */
export function SignInForm({ email }: { email?: string }) {
  const client = useQueryClient();
  const form = useForm({ email: email ?? "", password: "" });

  async function signIn(fields: typeof form.fields) {
    await becomeMe(client, await call<Me>("POST", "/api/login/", { body: fields }));
  }

  return (
    <FormBody label="Sign in" problem={form.problem} onSubmit={() => form.submit(signIn)}>
      <TextInput
        label="E-mail"
        type="email"
        autoComplete="username"
        {...form.text("email")}
        readOnly={email !== undefined}
      />
      <PasswordInput
        label="Password"
        autoComplete="current-password"
        {...form.text("password")}
      />
      <Button type="submit" loading={form.busy}>
        Sign in
      </Button>
    </FormBody>
  );
}
