import { JsonInput, Modal } from "@mantine/core";
import { useState } from "react";
import { call } from "../../api/client";
import { DialogButtons } from "../../parts/DialogButtons";
import { FormBody } from "../../parts/FormBody";
import { messageOf } from "../../parts/States";
import { useChange } from "../../parts/useChange";

interface MendDialogProps {
  opened: boolean;
  onClose: () => void;
  /** As it was understood, or as it was sent. */
  event: string;
  path: string;
  keys: unknown[][];
}

/** Sends an event again in other words. Its text goes to the gateway as it is typed: no number changes on the way. */
export function MendDialog(props: MendDialogProps) {
  return (
    <Modal opened={props.opened} onClose={props.onClose} title="Mend and send again" size="xl">
      <MendForm {...props} />
    </Modal>
  );
}

function MendForm({ onClose, event, path, keys }: MendDialogProps) {
  const [text, setText] = useState(event);
  const send = useChange(() => call("POST", path, { raw: text }), { keys, done: "Sent again.", quiet: true });

  return (
    <FormBody
      label="Mend and send again"
      problem={send.error === null ? undefined : messageOf(send.error)}
      onSubmit={() => send.mutate(undefined, { onSuccess: onClose })}
    >
      <JsonInput
        label="Event"
        value={text}
        onChange={setText}
        autosize
        minRows={8}
        maxRows={24}
        validationError="This is no JSON"
        data-autofocus
      />
      <DialogButtons onClose={onClose} action="Send again" busy={send.isPending} />
    </FormBody>
  );
}
