import { Alert, Stack } from "@mantine/core";
import type { ReactNode } from "react";

interface FormBodyProps {
  label: string;
  problem: string | undefined;
  onSubmit: () => unknown;
  children: ReactNode;
}

/** A form with what is wrong with it as a whole above its fields. */
export function FormBody({ label, problem, onSubmit, children }: FormBodyProps) {
  return (
    <form
      aria-label={label}
      noValidate
      onSubmit={(submit) => {
        submit.preventDefault();
        void onSubmit();
      }}
    >
      <Stack>
        {problem !== undefined && (
          <Alert color="red" role="alert">
            {problem}
          </Alert>
        )}
        {children}
      </Stack>
    </form>
  );
}
