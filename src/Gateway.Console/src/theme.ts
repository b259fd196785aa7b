import { Alert, createTheme, Drawer, Modal, Notification, Switch, Tooltip } from "@mantine/core";

/**
 * The console's look. Mantine's colours are too pale for text in places; styles.css makes them readable. Its variables
 * come from style sheets alone, since the page allows no style in itself; and a dialog that locks the scrolling would
 * need one.
 */
export const theme = createTheme({
  primaryColor: "indigo",
  primaryShade: { light: 7, dark: 8 },
  defaultRadius: "md",
  headings: { fontWeight: "650" },
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Alert: Alert.extend({ defaultProps: { closeButtonLabel: "Close" } }),
    Notification: Notification.extend({ defaultProps: { closeButtonProps: { "aria-label": "Close" } } }),
    Modal: Modal.extend({ defaultProps: { lockScroll: false, closeButtonProps: { "aria-label": "Close" } } }),
    Drawer: Drawer.extend({ defaultProps: { lockScroll: false, closeButtonProps: { "aria-label": "Close" } } }),
    Switch: Switch.extend({ defaultProps: { withThumbIndicator: false } }),
    Tooltip: Tooltip.extend({ defaultProps: { events: { hover: true, focus: true, touch: true } } }),
  },
});

