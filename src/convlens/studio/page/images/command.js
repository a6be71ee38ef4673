/* Command: how the training of these images is started at a terminal. */

import { html } from "../html.js";
import { Icon } from "../icons.js";
import { project } from "../project.js";
import { say } from "../say.js";
import { useStore } from "../store.js";
import { t } from "../words.js";

export function Command() {
  const { command, command_missing: missing, total } = useStore(project);
  if (!total) return null;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(command);
      say(t("copied"));
    } catch {
      say(t("copy_failed"));
    }
  };
  return html`
    <section class="command" aria-labelledby="command-title">
      <h2 id="command-title">${t("train_with")}</h2>
      ${command
        ? html`<pre tabindex="0" aria-label=${t("train_with")}><code>${command}</code></pre>
            <button type="button" class="button" onClick=${copy}>
              <${Icon} name="copy" />${t("copy")}
            </button>`
        : html`<p class="note">${missing}</p>`}
    </section>
  `;
}
