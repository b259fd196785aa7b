import { Alert, Button, Group, Loader, Text, Title } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { ApiError } from "../api/client";
import { usePlace } from "../session";

/** What is said of a failure; never more than the gateway's own words. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "Something went wrong.";
}

export function Loading({ label = "Loading" }: { label?: string }) {
  return (
    <Group justify="center" p="xl" role="status" aria-label={label}>
      <Loader size="sm" />
    </Group>
  );
}

/** Why there is nothing to see, and what to do. */
export function ErrorState({ error, onRetry }: { error: unknown; onRetry?: (() => unknown) | undefined }) {
  const isMissing = error instanceof ApiError && error.status === 404;
  return (
    <Alert
      color="red"
      icon={<IconAlertTriangle aria-hidden />}
      title={isMissing ? "Not here" : "This could not be loaded"}
      role="alert"
    >
      <Text size="sm">
        {isMissing
          ? "It does not exist, or it is not yours. Choose a project above, or ask who sent you here."
          : messageOf(error)}
      </Text>
      {onRetry && !isMissing && (
        <Button size="xs" mt="sm" variant="default" onClick={() => void onRetry()}>
          Try again
        </Button>
      )}
    </Alert>
  );
}

export function EmptyState({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="card">
      <Title order={2} size="h4">
        {title}
      </Title>
      <Text c="dimmed" component="div" mt={4}>
        {children}
      </Text>
    </div>
  );
}

interface Asked<T> {
  data: T | undefined;
  error: unknown;
  isPending: boolean;
  refetch: () => unknown;
}

/**
 * What was asked for, or why it is not there (yet). What is there stays while it is asked again, and says so when that
 * fails: old figures must not pass for new ones.
 */
export function Answered<T>({ query, children }: { query: Asked<T>; children: (data: T) => ReactNode }) {
  if (query.isPending) return <Loading />;
  if (query.data === undefined) return <ErrorState error={query.error} onRetry={query.refetch} />;
  return (
    <>
      {query.error !== null && (
        <Alert color="yellow" role="alert" title="What you see may be old" mb="md">
          <Text size="sm">It could not be read again: {messageOf(query.error)}</Text>
          <Button size="xs" mt="xs" variant="default" onClick={() => void query.refetch()}>
            Try again
          </Button>
        </Alert>
      )}
      {children(query.data)}
    </>
  );
}

export function PageHead({ title, children }: { title: string; children?: ReactNode }) {
  const { project, organization } = usePlace();
  const place = project?.name ?? organization?.name;
  return (
    <div className="head">
      <title>{place === undefined ? `${title} · Gateway` : `${title} · ${place} · Gateway`}</title>
      <Title order={1} size="h2" className="wrap">
        {title}
      </Title>
      {children}
    </div>
  );
}
