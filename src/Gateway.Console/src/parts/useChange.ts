import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { messageOf } from "./States";

/**
 * A change by way of the API. When it is done, what the console shows of these keys is read again before anybody goes
 * on; when it failed, a note says why unless the caller does.
 */
export function useChange<Input, Output>(
  change: (input: Input) => Promise<Output>,
  { keys, done, quiet = false }: { keys: readonly unknown[][]; done?: string; quiet?: boolean },
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: async () => {
      await Promise.all(keys.map((queryKey) => client.invalidateQueries({ queryKey })));
      if (done !== undefined) notifications.show({ message: done, color: "green" });
    },
    onError: (error) => {
      if (!quiet) notifications.show({ title: "Not done", message: messageOf(error), color: "red" });
    },
  });
}
