import { Button, Group, NumberInput, Switch, TagsInput, TextInput, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../../api/client";
import { paths, refreshEverything } from "../../api/queries";
import type { Project } from "../../api/types";
import { FormBody } from "../../parts/FormBody";
import { useForm } from "../../parts/useForm";
import { ZoneSelect } from "../../parts/ZoneSelect";

interface GeneralSettingsProps {
  project: Project;
  mayChange: boolean;
}

export function GeneralSettings({ project, mayChange }: GeneralSettingsProps) {
  const client = useQueryClient();
  const current = settingsOf(project);
  const form = useForm(current);

  // What somebody else changed meanwhile is shown, but where one has typed something oneself.
  const [base, setBase] = useState(current);
  if (JSON.stringify(base) !== JSON.stringify(current)) {
    setBase(current);
    form.reset((typed) => ({ ...typed, ...differences(base, current, (name) => !differs(typed[name], base[name])) }));
  }

  async function save(fields: Settings) {
    // Only what one changed: the rest may be another's, a moment ago.
    const body = differences(base, fields);
    const stored = settingsOf(await call<Project>("PATCH", paths.project(project.id), { body }));
    setBase(stored);
    form.reset(stored);
    await refreshEverything(client);
    await client.invalidateQueries({ queryKey: ["project", project.id], exact: true });
    notifications.show({ message: "Saved.", color: "green" });
  }

  return (
    <section className="card" aria-label="General">
      <Title order={2} size="h4" mb="sm">
        General
      </Title>
      <FormBody label="General settings" problem={form.problem} onSubmit={() => form.submit(save)}>
        <fieldset disabled={!mayChange} className="fieldset">
          <TextInput
            label="Name"
            {...form.text("name")}
          />
          <ZoneSelect
            value={form.fields.timezone}
            onChange={(zone) => form.set("timezone", zone)}
            error={form.errorOf("timezone")}
          />
          <Switch
            label="Anonymize IP addresses"
            description="No address of a client is kept: not the request's, and not one that an event holds as $ip"
            checked={form.fields.anonymize_ips}
            onChange={(change) => form.set("anonymize_ips", change.currentTarget.checked)}
            error={form.errorOf("anonymize_ips")}
          />
          <TagsInput
            label="Allowed origins"
            description="Pages of other origins are answered 403. Empty: any. https://*.example.com is every host below it"
            placeholder={form.fields.allowed_origins.length === 0 ? "https://www.example.com" : ""}
            value={form.fields.allowed_origins}
            onChange={(origins) => form.set("allowed_origins", origins)}
            error={form.errorOf("allowed_origins")}
            acceptValueOnBlur
          />
          <Group grow align="flex-start" wrap="wrap" preventGrowOverflow={false}>
            <NumberInput
              label="Events a second"
              description="What each gateway takes; 0: any amount"
              min={0}
              allowDecimal={false}
              thousandSeparator=" "
              value={form.fields.events_per_second}
              onChange={(value) => form.set("events_per_second", value)}
              error={form.errorOf("events_per_second")}
            />
            <NumberInput
              label="Bytes a second"
              description="Of their text, inflated; 0: any amount"
              min={0}
              allowDecimal={false}
              thousandSeparator=" "
              value={form.fields.bytes_per_second}
              onChange={(value) => form.set("bytes_per_second", value)}
              error={form.errorOf("bytes_per_second")}
            />
          </Group>
        </fieldset>
        {mayChange && (
          <Group>
            <Button type="submit" loading={form.busy}>
              Save
            </Button>
          </Group>
        )}
      </FormBody>
    </section>
  );
}

interface Settings {
  name: string;
  timezone: string;
  anonymize_ips: boolean;
  allowed_origins: string[];
  /** Text while it is being typed; the gateway says what it must be. */
  events_per_second: number | string;
  bytes_per_second: number | string;
}

function settingsOf(project: Project): Settings {
  return {
    name: project.name,
    timezone: project.timezone,
    anonymize_ips: project.anonymize_ips,
    allowed_origins: project.allowed_origins,
    events_per_second: project.events_per_second,
    bytes_per_second: project.bytes_per_second,
  };
}

/** What the second has otherwise than the first. */
function differences(
  before: Settings,
  after: Settings,
  isWanted: (name: keyof Settings) => boolean = () => true,
): Partial<Settings> {
  const names = Object.keys(after) as (keyof Settings)[];
  return Object.fromEntries(
    names.filter((name) => differs(before[name], after[name]) && isWanted(name)).map((name) => [name, after[name]]),
  );
}

function differs(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) !== JSON.stringify(right);
}
