/* Theme: light, dark, or as the system has it. */

import { useMedia } from "./media.js";
import { createStore, keep, useStore } from "./store.js";

export const theme = createStore(document.documentElement.dataset.theme); // see appearance.js

export function chooseTheme(chosen) {
  document.documentElement.dataset.theme = chosen;
  keep("theme", chosen);
  theme.set(chosen);
}

/* Return whether the page is dark now. */
export function useDark() {
  const isSystemDark = useMedia("(prefers-color-scheme: dark)");
  const chosen = useStore(theme);
  return chosen === "auto" ? isSystemDark : chosen === "dark";
}
