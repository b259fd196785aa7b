import { useMediaQuery } from "@mantine/hooks";

/** Whether the page is as narrow as a telephone's: the width at which styles.css changes too. */
export function useNarrow(): boolean {
  return useMediaQuery("(max-width: 800px)", undefined, { getInitialValueInEffect: false });
}
