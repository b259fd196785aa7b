import { Alert, Button } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { useLocation } from "wouter";

/** A mistake of ours on one page leaves the others, and the way to them. */
export function PageBoundary({ children }: { children: ReactNode }) {
  const [location] = useLocation();
  return <Boundary key={location}>{children}</Boundary>;
}

class Boundary extends Component<{ children: ReactNode }, { hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError(): { hasFailed: boolean } {
    return { hasFailed: true };
  }

  override render(): ReactNode {
    if (!this.state.hasFailed) return this.props.children;
    return (
      <Alert color="red" role="alert" title="This page failed">
        That is a mistake of the console. What was sent to the gateway is not touched by it.
        <br />
        <Button size="xs" mt="sm" variant="default" onClick={() => window.location.reload()}>
          Load it again
        </Button>
      </Alert>
    );
  }
}
