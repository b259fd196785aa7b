import { Autocomplete, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useState } from "react";
import type { PropertyFilter } from "../../api/events";
import { useSuggestions } from "../../api/useSuggestions";
import { PropertyFilters } from "../../parts/PropertyFilters";

export interface Filters {
  event: string;
  distinctId: string;
  properties: PropertyFilter[];
}

interface LiveFiltersProps {
  project: number;
  /** As the address has them. */
  value: Filters;
  onChange: (filters: Filters) => void;
}

/** What is typed shows at once, and is asked for when the typing pauses. */
export function LiveFilters({ project, value, onChange }: LiveFiltersProps) {
  const suggestions = useSuggestions(project);
  const [draft, setDraft] = useState(value);
  const [sent, setSent] = useState("");
  const send = useDebouncedCallback((filters: Filters) => {
    setSent(JSON.stringify(filters));
    onChange(filters);
  }, 400);

  // A filter that was chosen in a row, or the way back in the browser's history; not the echo of what is typed here.
  const address = JSON.stringify(value);
  const [seen, setSeen] = useState(address);
  if (seen !== address) {
    setSeen(address);
    if (address !== sent) setDraft(value);
  }

  function change(part: Partial<Filters>) {
    const next = { ...draft, ...part };
    setDraft(next);
    send(next);
  }

  return (
    <div className="controls" role="search" aria-label="Filters">
      <Autocomplete
        className="grow"
        label="Event"
        placeholder="Any"
        data={suggestions.events}
        limit={50}
        value={draft.event}
        onChange={(event) => change({ event })}
        clearable
      />
      <TextInput
        className="grow"
        label="Distinct id"
        placeholder="Anybody"
        value={draft.distinctId}
        onChange={(input) => change({ distinctId: input.currentTarget.value })}
      />
      <PropertyFilters
        value={draft.properties}
        onChange={(properties) => change({ properties })}
        keys={suggestions.properties}
      />
    </div>
  );
}
