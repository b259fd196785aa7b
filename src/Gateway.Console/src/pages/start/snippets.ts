/** What to paste where, so that the first event comes. */

export interface Snippet {
  id: string;
  label: string;
  install?: string;
  code: string;
}

export function snippetsFor(origin: string, token: string): Snippet[] {
  return [
    {
      id: "browser",
      label: "Browser",
      code: `<script>
  window.posthog = []; posthog.__SV = 1;
  posthog._i = [["${token}", { api_host: "${origin}" }, "posthog"]];
</script>
<script async src="${origin}/static/array.js"></script>`,
    },
    {
      id: "node",
      label: "Node",
      install: "npm install posthog-node",
      code: `import { PostHog } from "posthog-node";

const posthog = new PostHog("${token}", { host: "${origin}" });
posthog.capture({ distinctId: "me", event: "hello" });
await posthog.shutdown();`,
    },
    {
      id: "python",
      label: "Python",
      install: "pip install posthog",
      code: `from posthog import Posthog

posthog = Posthog("${token}", host="${origin}")
posthog.capture("hello", distinct_id="me")
posthog.shutdown()`,
    },
    {
      id: "curl",
      label: "curl",
      code: `curl ${origin}/i/v0/e/ -d '{"api_key":"${token}","event":"hello","distinct_id":"me"}'`,
    },
  ];
}
