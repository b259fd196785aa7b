import { Button, Group, PasswordInput, Text, TextInput, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { call, ME_PATH } from "../../api/client";
import { becomeMe } from "../../api/me";
import type { Me } from "../../api/types";
import { FormBody } from "../../parts/FormBody";
import { PageHead } from "../../parts/States";
import { useForm } from "../../parts/useForm";
import { useSignedIn } from "../../session";

export function AccountPage() {
  return (
    <>
      <PageHead title="Account" />
      <Name />
      <Password />
    </>
  );
}

function Name() {
  const me = useSignedIn();
  const client = useQueryClient();
  const form = useForm({ first_name: me.first_name, last_name: me.last_name });

  async function save(fields: typeof form.fields) {
    await becomeMe(client, await call<Me>("PATCH", ME_PATH, { body: fields }));
    notifications.show({ message: "Saved.", color: "green" });
  }

  return (
    <section className="card" aria-label="Your name">
      <Title order={2} size="h4" mb="xs">
        Name
      </Title>
      <Text size="sm" c="dimmed" mb="sm" className="wrap">
        You are signed in as {me.email}.
      </Text>
      <FormBody label="Your name" problem={form.problem} onSubmit={() => form.submit(save)}>
        <TextInput
          label="First name"
          autoComplete="given-name"
          {...form.text("first_name")}
        />
        <TextInput
          label="Last name"
          autoComplete="family-name"
          {...form.text("last_name")}
        />
        <Group>
          <Button type="submit" loading={form.busy}>
            Save
          </Button>
        </Group>
      </FormBody>
    </section>
  );
}

function Password() {
  const client = useQueryClient();
  const form = useForm({ current_password: "", password: "" });

  async function change(fields: typeof form.fields) {
    await becomeMe(client, await call<Me>("PATCH", ME_PATH, { body: fields }));
    form.reset({ current_password: "", password: "" });
    notifications.show({ message: "The password was changed; all other sessions have ended.", color: "green" });
  }

  return (
    <section className="card" aria-label="Your password">
      <Title order={2} size="h4" mb="xs">
        Password
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        A new one ends all of your other sessions.
      </Text>
      <FormBody label="Your password" problem={form.problem} onSubmit={() => form.submit(change)}>
        <PasswordInput
          label="Current password"
          autoComplete="current-password"
          {...form.text("current_password")}
        />
        <PasswordInput
          label="New password"
          description="At least 8 characters"
          autoComplete="new-password"
          {...form.text("password")}
        />
        <Group>
          <Button type="submit" loading={form.busy}>
            Change password
          </Button>
        </Group>
      </FormBody>
    </section>
  );
}
