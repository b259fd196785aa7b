import { useState } from "react";
import { ApiError } from "../api/client";
import { messageOf } from "./States";

/**
 * The fields of a form and what the gateway says of them: it checks, the console only shows. What it says of a field
 * that the form does not have stands above the form.
 */
export function useForm<Fields extends object>(initial: Fields) {
  const [fields, setFields] = useState(initial);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  const attr = error instanceof ApiError ? error.attr : null;
  const field = attr === null ? null : (/^\w+/.exec(attr)?.[0] ?? attr);

  return {
    fields,
    busy,
    set: <Name extends keyof Fields>(name: Name, value: Fields[Name]) => {
      setFields((current) => ({ ...current, [name]: value }));
      if (field === name) setError(null);
    },
    reset: setFields,
    /** What is wrong with this field. */
    errorOf: (name: keyof Fields): string | undefined => (field === name ? messageOf(error) : undefined),
    /** What is wrong with none of them. */
    problem: error !== null && (field === null || !(field in fields)) ? messageOf(error) : undefined,
    submit: async (send: (fields: Fields) => Promise<unknown>): Promise<void> => {
      setBusy(true);
      setError(null);
      try {
        await send(fields);
      } catch (failure) {
        setError(failure);
      } finally {
        setBusy(false);
      }
    },
  };
}
