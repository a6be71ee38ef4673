/* Messages: what is said shortly, and what went wrong; screen readers say it, too. */

import { useEffect, useState } from "preact/hooks";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { IconButton } from "./parts.js";
import { project, undo } from "./project.js";
import { close, messages } from "./say.js";
import { useStore } from "./store.js";
import { t } from "./words.js";

const SECONDS = 6;
const UNDO_SECONDS = 15; // of a message with a button, which somebody has to read and reach

export function Messages() {
  const shown = useStore(messages);
  const part = (kind) => shown.filter((one) => one.kind === kind);
  return html`
    <div class="messages">
      <div role="alert">${part("error").map((one) => html`<${Message} key=${one.number} one=${one} />`)}</div>
      <div role="status" aria-live="polite">
        ${part("done").map((one) => html`<${Message} key=${one.number} one=${one} />`)}
      </div>
    </div>
  `;
}

/* A message that is not an error goes by itself, but not while somebody points at it or uses it. */
function Message({ one }) {
  const state = useStore(project);
  const [isPointedAt, setPointedAt] = useState(false);
  const [hasFocus, setFocus] = useState(false);
  const isHeld = isPointedAt || hasFocus;
  const isLast = one.undo > 0 && state?.undo && state.version <= one.undo;
  useEffect(() => {
    if (one.kind === "error" || isHeld) return undefined;
    const timer = setTimeout(() => close(one.number), 1000 * (one.undo ? UNDO_SECONDS : SECONDS));
    return () => clearTimeout(timer);
  }, [isHeld]);
  return html`
    <div
      class="message ${one.kind}"
      onPointerEnter=${() => setPointedAt(true)}
      onPointerLeave=${() => setPointedAt(false)}
      onFocusIn=${() => setFocus(true)}
      onFocusOut=${() => setFocus(false)}
    >
      ${one.kind === "error" && html`<${Icon} name="error" />`}
      <p>${one.text}</p>
      ${isLast &&
      html`<button type="button" class="link" onClick=${() => { close(one.number); undo(); }}>${t("undo")}</button>`}
      <${IconButton} icon="close" label=${t("close")} onClick=${() => close(one.number)} />
    </div>
  `;
}
