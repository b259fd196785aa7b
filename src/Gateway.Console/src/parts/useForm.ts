import { type ChangeEvent, useState } from "react";
import { ApiError } from "../api/client";
import { messageOf } from "./States";

/** Those that hold text. */
type TextName<Fields> = { [Name in keyof Fields]: Fields[Name] extends string ? Name : never }[keyof Fields];

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

  /** What is wrong with this field. */
  const errorOf = (name: keyof Fields): string | undefined => (field === name ? messageOf(error) : undefined);

  function set<Name extends keyof Fields>(name: Name, value: Fields[Name]): void {
    setFields((current) => ({ ...current, [name]: value }));
    if (field === name) setError(null);
  }

  return {
    fields,
    busy,
    set,
    reset: setFields,
    errorOf,
    /** What a text input needs to be this field. */
    text: (name: TextName<Fields>) => ({
      value: fields[name] as string,
      onChange: (change: ChangeEvent<HTMLInputElement>) =>
        set(name, change.currentTarget.value as Fields[typeof name]),
      error: errorOf(name),
    }),
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
