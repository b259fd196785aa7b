import { Alert, Modal, Stack, Text, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { DialogButtons } from "./DialogButtons";
import { messageOf } from "./States";

interface ConfirmProps {
  opened: boolean;
  onClose: () => void;
  title: string;
  /** What will happen. */
  children: ReactNode;
  action: string;
  /** To be typed, where a click is not enough; null: nothing. */
  name?: string | undefined;
  onConfirm: () => Promise<unknown>;
}

/** Asks before something that cannot be taken back. It stays open when it failed, and says why. */
export function Confirm(props: ConfirmProps) {
  return (
    <Modal opened={props.opened} onClose={props.onClose} title={props.title} size="lg">
      {/* Another one for each opening: what was typed once is gone the next time. */}
      <ConfirmBody key={String(props.opened)} {...props} />
    </Modal>
  );
}

function ConfirmBody({ opened, onClose, children, action, name, onConfirm }: ConfirmProps) {
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const isReady = name === undefined || typed === name;

  async function confirm() {
    if (!isReady || busy) return;
    setBusy(true);
    setError(null);
    try {
      await onConfirm();
      // While it fades its button is off: a second click is for nobody.
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  }

  return (
    <form
      onSubmit={(submit) => {
        submit.preventDefault();
        void confirm();
      }}
    >
      <Stack>
        <div>{children}</div>
        {name !== undefined && (
          <TextInput
            label={
              <>
                Type <Text span inherit fw={700} className="wrap">{name}</Text> to confirm
              </>
            }
            value={typed}
            onChange={(change) => setTyped(change.currentTarget.value)}
            data-autofocus
            autoComplete="off"
          />
        )}
        {error !== null && (
          <Alert color="red" role="alert">
            {messageOf(error)}
          </Alert>
        )}
        <DialogButtons onClose={onClose} action={action} busy={busy} disabled={!isReady || !opened} color="red" />
      </Stack>
    </form>
  );
}
