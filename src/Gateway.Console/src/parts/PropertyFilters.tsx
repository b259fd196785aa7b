import { ActionIcon, Autocomplete, Button, Select, Stack, TextInput } from "@mantine/core";
import { IconFilterPlus, IconX } from "@tabler/icons-react";
import { isUnary, type Operator, operators, type PropertyFilter } from "../api/events";

/** The API takes a hundred; nobody reads so many. */
const MOST = 20;

const operatorChoices = Object.entries(operators).map(([value, label]) => ({ value, label }));

interface PropertyFiltersProps {
  value: readonly PropertyFilter[];
  onChange: (filters: PropertyFilter[]) => void;
  keys: string[];
}

/** Conditions on properties, which all hold. One that is not filled in filters nothing yet. */
export function PropertyFilters({ value, onChange, keys }: PropertyFiltersProps) {
  const change = (index: number, part: Partial<PropertyFilter>) =>
    onChange(value.map((filter, at) => (at === index ? { ...filter, ...part } : filter)));

  return (
    <Stack gap="xs" align="flex-start">
      {value.map((filter, index) => (
        // They have no other identity than their place.
        <div className="series-row" role="group" aria-label={`Property filter ${index + 1}`} key={index}>
          <Autocomplete
            aria-label="Property"
            placeholder="Property"
            data={keys}
            limit={50}
            value={filter.key}
            onChange={(key) => change(index, { key })}
          />
          <Select
            aria-label="Condition"
            data={operatorChoices}
            value={filter.operator}
            onChange={(operator) => operator !== null && change(index, { operator: operator as Operator })}
            allowDeselect={false}
            w={160}
          />
          {!isUnary(filter.operator) && (
            <TextInput
              aria-label="Value"
              placeholder="Value"
              value={filter.value}
              onChange={(input) => change(index, { value: input.currentTarget.value })}
            />
          )}
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={`Remove property filter ${index + 1}`}
            onClick={() => onChange(value.filter((_, at) => at !== index))}
          >
            <IconX size={16} aria-hidden />
          </ActionIcon>
        </div>
      ))}
      {value.length < MOST && (
        <Button
          variant="default"
          size="xs"
          leftSection={<IconFilterPlus size={14} aria-hidden />}
          onClick={() => onChange([...value, { key: "", operator: "exact", value: "" }])}
        >
          Filter by property
        </Button>
      )}
    </Stack>
  );
}

/** From an address, which anybody may have written: what is no filter is left out. */
export function readFilters(text: string | null): PropertyFilter[] {
  try {
    const parsed: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(parsed) ? parsed.filter(isFilter).slice(0, MOST) : [];
  } catch {
    return [];
  }
}

function isFilter(value: unknown): value is PropertyFilter {
  return (
    typeof value === "object" &&
    value !== null &&
    "key" in value &&
    typeof value.key === "string" &&
    "value" in value &&
    typeof value.value === "string" &&
    "operator" in value &&
    typeof value.operator === "string" &&
    value.operator in operators
  );
}
