/* Command: how the training of these images is started, in this page or at a terminal. */

import { Copyable } from "../copyable.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { go } from "../place.js";
import { project } from "../project.js";
import { useStore } from "../store.js";
import { t } from "../words.js";

export function Command() {
  const { command, command_missing: missing, total } = useStore(project);
  if (!total) return null;
  return html`
    <section class="command" aria-labelledby="command-title">
      ${command &&
      html`<button type="button" class="button primary" onClick=${() => go("train")}>
        <${Icon} name="arrow" />${t("go_to_train")}
      </button>`}
      <h2 id="command-title">${t("train_with")}</h2>
      ${command
        ? html`<${Copyable} label=${t("train_with")} text=${command} />`
        : html`<p class="note">${missing}</p>`}
    </section>
  `;
}
