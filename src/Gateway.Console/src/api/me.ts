/** Who is signed in. What one of them saw is forgotten before another sees anything. */

import { type QueryClient, useQuery } from "@tanstack/react-query";
import { ApiError, call, ME_PATH } from "./client";
import type { Me } from "./types";

const KEY = ["me"];

/** Null: nobody is signed in. */
export function useMe() {
  return useQuery({
    queryKey: KEY,
    queryFn: async ({ client, signal }) => {
      const me = await readMe(signal);
      forgetIfOther(client, me);
      return me;
    },
    staleTime: 30_000,
  });
}

/** After signing in or out, joining, or a change of one's own. */
export async function becomeMe(client: QueryClient, me: Me | null): Promise<void> {
  await client.cancelQueries({ queryKey: KEY });
  forgetIfOther(client, me);
  client.setQueryData(KEY, me);
}

/** Reads again what one may enter, and waits for it: what is shown next goes by it. */
export async function refreshMe(client: QueryClient): Promise<void> {
  await becomeMe(client, await readMe());
}

/** A change of one's own that somebody else's session may have overtaken. */
export function updateMe(client: QueryClient, changed: Me): void {
  client.setQueryData<Me | null>(KEY, (now) => (now?.id === changed.id ? changed : now));
}

async function readMe(signal?: AbortSignal): Promise<Me | null> {
  try {
    return await call<Me>("GET", ME_PATH, signal ? { signal } : {});
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}

function forgetIfOther(client: QueryClient, me: Me | null): void {
  const before = client.getQueryData<Me | null>(KEY);
  if (before === undefined || before?.id === me?.id) return;
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== KEY[0] && queryKey[0] !== "invite" });
}
