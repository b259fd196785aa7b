import { Anchor, Button, PasswordInput, Text, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "wouter";
import { call } from "../../api/client";
import { refreshMe } from "../../api/me";
import { FormBody } from "../../parts/FormBody";
import { useForm } from "../../parts/useForm";
import { JoinFrame } from "./JoinFrame";

export function SignUpPage() {
  const client = useQueryClient();
  const form = useForm({ email: "", first_name: "", organization_name: "", password: "" });

  async function signUp(fields: typeof form.fields) {
    await call("POST", "/api/signup/", { body: fields });
    await refreshMe(client);
  }

  return (
    <JoinFrame title="Sign up">
      <FormBody label="Sign up" problem={form.problem} onSubmit={() => form.submit(signUp)}>
        <TextInput label="E-mail" type="email" autoComplete="username" {...form.text("email")} />
        <TextInput label="First name" autoComplete="given-name" {...form.text("first_name")} />
        <TextInput label="Organization" autoComplete="organization" {...form.text("organization_name")} />
        <PasswordInput label="Password" autoComplete="new-password" {...form.text("password")} />
        <Button type="submit" loading={form.busy}>
          Sign up
        </Button>
      </FormBody>
      <Text size="sm" c="dimmed" mt="md">
        You have an account?{" "}
        <Anchor component={Link} href="/sign-in" inherit underline="always">
          Sign in
        </Anchor>
        .
      </Text>
    </JoinFrame>
  );
}
