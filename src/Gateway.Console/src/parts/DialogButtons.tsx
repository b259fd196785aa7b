import { Button, Group } from "@mantine/core";

interface DialogButtonsProps {
  onClose: () => void;
  /** What the form of the dialog does. */
  action: string;
  busy: boolean;
  disabled?: boolean;
  /** For what cannot be taken back. */
  color?: "red";
}

/** The end of each dialog: out of it, or on. */
export function DialogButtons({ onClose, action, busy, disabled = false, color }: DialogButtonsProps) {
  return (
    <Group justify="flex-end">
      <Button variant="default" onClick={onClose}>
        Cancel
      </Button>
      <Button type="submit" color={color} disabled={disabled} loading={busy}>
        {action}
      </Button>
    </Group>
  );
}
