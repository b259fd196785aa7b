import { Alert, Button, Group, List, Text, Title } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { ApiError, call } from "../../api/client";
import { paths } from "../../api/queries";
import type { Project } from "../../api/types";
import { formatTime } from "../../format";
import { Confirm } from "../../parts/Confirm";
import { CopyIcon } from "../../parts/Copy";
import { useChange } from "../../parts/useChange";

interface TokenSettingsProps {
  project: Project;
  mayChange: boolean;
}

/** What the regeneration came to: the gateway says whether the old token is refused already. */
interface Regenerated {
  inForce: boolean;
  text: string;
  /** While it is not: the new token, and the one that may still be taken. */
  token?: string;
  oldToken?: string;
}

export function TokenSettings({ project, mayChange }: TokenSettingsProps) {
  const client = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const [outcome, setOutcome] = useState<Regenerated | null>(null);
  // The same for each try of one regeneration: a try whose answer was lost makes no second token.
  const attempt = useRef(newKey());

  async function regenerate() {
    try {
      const changed = await call<Project>("POST", `${paths.project(project.id)}reset_token/`, {
        headers: { "Idempotency-Key": attempt.current },
      });
      setOutcome({
        inForce: true,
        text: `In force since ${formatTime(changed.revoked_at ?? Date.now(), project.timezone)}, epoch ${changed.epoch ?? 0}: every gateway refuses the old token.`,
      });
      attempt.current = newKey();
    } catch (error) {
      // Somebody has regenerated it again since; the next try is one of its own, and asks for the name again.
      if (error instanceof ApiError && error.attr === "Idempotency-Key") {
        attempt.current = newKey();
        setOutcome(null);
      }
      if (!(error instanceof ApiError && error.code === "not_in_force")) throw error;
      const { recorded, old_api_token: oldToken } = error.body as NotInForce;
      setOutcome({ inForce: false, text: error.message, token: recorded?.api_token, oldToken });
    }
    await client.invalidateQueries({ queryKey: ["project", project.id], exact: true });
  }

  const again = useChange(regenerate, { keys: [] });

  function open() {
    setOutcome(null);
    setAsking(true);
  }

  return (
    <section className="card" aria-label="Project token">
      <Title order={2} size="h4">
        Project token
      </Title>
      <Text size="sm" c="dimmed" mb="xs">
        Public: it goes into your apps, and can only write.
      </Text>
      <Group gap={4} wrap="nowrap">
        <code className="value" data-testid="token">
          {project.api_token ?? "none just now"}
        </code>
        {project.api_token !== null && <CopyIcon text={project.api_token} label="Copy the token" />}
      </Group>
      {outcome !== null && (
        <Alert
          color={outcome.inForce ? "green" : "yellow"}
          mt="sm"
          role="status"
          title={outcome.inForce ? "The token was regenerated" : "Recorded, but not in force yet"}
        >
          <Text size="sm">{outcome.text}</Text>
          {outcome.token !== undefined && <Text size="sm" className="value">New: {outcome.token}</Text>}
          {outcome.oldToken !== undefined && (
            <Text size="sm" className="value">May still be taken: {outcome.oldToken}</Text>
          )}
          {!outcome.inForce && (
            <Button size="xs" mt="xs" variant="default" loading={again.isPending} onClick={() => again.mutate(undefined)}>
              Ask again
            </Button>
          )}
        </Alert>
      )}
      {mayChange && (
        <Button mt="sm" size="xs" variant="outline" color="red" onClick={open}>
          Regenerate token
        </Button>
      )}
      <Confirm
        opened={isAsking}
        onClose={() => setAsking(false)}
        title="Regenerate the project token"
        action="Regenerate token"
        name={project.name}
        onConfirm={regenerate}
      >
        <List spacing="xs">
          <List.Item>The old token is refused from the answer on, by every gateway. There is no way back.</List.Item>
          <List.Item>
            Apps that still have it are answered 401, and <b>what they send is lost</b> until they have the new one. SDKs
            do not send it again.
          </List.Item>
          <List.Item>Events that were answered before are kept, and stored.</List.Item>
          <List.Item>Health shows how many requests still come with the old token.</List.Item>
        </List>
      </Confirm>
    </section>
  );
}

interface NotInForce {
  recorded?: { api_token?: string };
  old_api_token?: string;
}

/** There without https too, which crypto.randomUUID is not. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
