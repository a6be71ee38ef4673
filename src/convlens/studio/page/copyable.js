/* Copyable: a text to be pasted elsewhere, such as a command, with a button that copies it. */

import { html } from "./html.js";
import { Icon } from "./icons.js";
import { say } from "./say.js";
import { t } from "./words.js";

export function Copyable({ label, text }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      say(t("copied"));
    } catch {
      say(t("copy_failed"));
    }
  };
  return html`
    <pre tabindex="0" aria-label=${label}><code>${text}</code></pre>
    <button type="button" class="button" onClick=${copy}><${Icon} name="copy" />${t("copy")}</button>
  `;
}
