import type { OrganizationLevel } from "../../api/types";
import { levels } from "../../session";

/** Nobody gives more than they have. */
export function levelChoices(own: OrganizationLevel): { value: string; label: string }[] {
  return Object.entries(levels)
    .filter(([level]) => Number(level) <= own)
    .map(([value, label]) => ({ value, label }));
}
