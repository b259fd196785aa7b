import { TextInput } from "@mantine/core";

interface SearchFieldProps {
  /** Says what is searched. */
  label: string;
  value: string;
  onChange: (value: string) => void;
}

/** Narrows the table below it as one types. */
export function SearchField({ label, value, onChange }: SearchFieldProps) {
  return (
    <TextInput
      aria-label={label}
      placeholder={label}
      value={value}
      onChange={(change) => onChange(change.currentTarget.value)}
      mb="xs"
    />
  );
}
