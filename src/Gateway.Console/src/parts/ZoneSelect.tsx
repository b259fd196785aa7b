import { Select } from "@mantine/core";
import { useMemo } from "react";

interface ZoneSelectProps {
  value: string;
  onChange: (zone: string) => void;
  error?: string | undefined;
}

/** The browser's list of time zones; the gateway has the last word. */
export function ZoneSelect({ value, onChange, error }: ZoneSelectProps) {
  const zones = useMemo(() => [...new Set(["UTC", ...Intl.supportedValuesOf("timeZone"), value])], [value]);
  return (
    <Select
      label="Time zone"
      description="Days and hours of this project begin by it"
      data={zones}
      value={value}
      onChange={(zone) => zone !== null && onChange(zone)}
      searchable
      limit={100}
      nothingFoundMessage="No such time zone"
      allowDeselect={false}
      error={error}
    />
  );
}
