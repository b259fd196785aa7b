import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "uplot/dist/uPlot.min.css";
import "./styles.css";

import { MantineProvider } from "@mantine/core";
import { Notifications, notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError, notices } from "./api/client";
import { App } from "./App";
import { theme } from "./theme";

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // What was refused is refused again; what could not be asked may be asked in a moment.
      retry: (count, error) =>
        count < 2 && error instanceof ApiError && (error.status === 0 || error.status === 503),
      retryDelay: 1000,
      refetchOnWindowFocus: true,
    },
  },
});

// A session that ended elsewhere shows at whatever is asked next: then the console asks who is there.
notices.unauthenticated = () => {
  if (client.getQueryData(["me"])) void client.invalidateQueries({ queryKey: ["me"] }, { cancelRefetch: false });
};
notices.recorded = (detail) =>
  notifications.show({
    title: "Recorded, but not in force yet",
    message: `${detail} Do not send it again.`,
    color: "yellow",
    autoClose: false,
  });

const root = document.getElementById("root");
if (root === null) throw new Error("The page has no root.");

createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
      <QueryClientProvider client={client}>
        <Notifications position="bottom-right" autoClose={6000} />
        <App />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
