import { ActionIcon, Button, Tooltip, VisuallyHidden } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useEffect, useState } from "react";

/** The clipboard's own interface is there with https or on localhost only; a gateway within a network may have neither. */
async function copyText(text: string): Promise<boolean> {
  if (window.isSecureContext) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  }

  const before = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.style.position = "fixed";
  area.style.opacity = "0";
  document.body.append(area);
  area.select();
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- there is nothing else without https
  const copied = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return copied;
}

function useCopy(text: string): { told: string | null; copy: () => Promise<void> } {
  const [told, setTold] = useState<string | null>(null);
  useEffect(() => {
    if (told === null) return;
    const timer = setTimeout(() => setTold(null), 2500);
    return () => clearTimeout(timer);
  }, [told]);

  return {
    told,
    copy: async () => setTold((await copyText(text)) ? "Copied" : "Not copied: select it and copy it yourself"),
  };
}

export function CopyIcon({ text, label }: { text: string; label: string }) {
  const { told, copy } = useCopy(text);
  return (
    <>
      <Tooltip label={told ?? label}>
        <ActionIcon variant="subtle" color="gray" aria-label={label} onClick={copy}>
          {told === "Copied" ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
        </ActionIcon>
      </Tooltip>
      <VisuallyHidden role="status">{told}</VisuallyHidden>
    </>
  );
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  const { told, copy } = useCopy(text);
  return (
    <>
      <Button
        variant="default"
        size="xs"
        onClick={copy}
        leftSection={told === "Copied" ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
      >
        {told ?? label}
      </Button>
      <VisuallyHidden role="status">{told}</VisuallyHidden>
    </>
  );
}

/** A text to be taken along whole. */
export function CopyBlock({ text, label }: { text: string; label: string }) {
  return (
    <>
      <pre className="code" tabIndex={0} aria-label={label}>
        {text}
      </pre>
      <CopyButton text={text} label={`Copy ${label.toLowerCase()}`} />
    </>
  );
}
