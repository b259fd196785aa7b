import { notifications } from "@mantine/notifications";
import type { QueryClient } from "@tanstack/react-query";
import { ApiError, call } from "./client";
import { becomeMe } from "./me";

/** True: the session is over. Where it could not be ended somebody has to know: the machine may be a shared one. */
export async function signOut(client: QueryClient): Promise<boolean> {
  try {
    await call("POST", "/api/logout/");
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) {
      notifications.show({
        title: "You are still signed in",
        message: error instanceof Error ? error.message : "Try again.",
        color: "red",
        autoClose: false,
      });
      return false;
    }
  }
  await becomeMe(client, null);
  return true;
}
