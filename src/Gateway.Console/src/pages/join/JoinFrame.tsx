import { Title } from "@mantine/core";
import type { ReactNode } from "react";

/** What is seen before one is signed in. */
export function JoinFrame({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className="centered">
      <title>{`${title} · Gateway`}</title>
      <div className="card">
        <div className="brand">
          <img src="/console/gateway.svg" alt="" />
          Gateway
        </div>
        <Title order={1} size="h3" mt="md" mb="md" className="wrap">
          {title}
        </Title>
        {children}
      </div>
    </main>
  );
}
