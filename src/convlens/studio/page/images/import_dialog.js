/* Import dialog: how far an import is, what the server has found in it, and what became of it. */

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { Dialog } from "../parts.js";
import { project } from "../project.js";
import { useStore } from "../store.js";
import { count, megabytes, sentences, t } from "../words.js";
import { ClassChoice } from "./class_choice.js";
import { current, drop, finish, goOn } from "./imports.js";
import { LeftOut } from "./left_out.js";
import { RefusedNames } from "./refused.js";

const SHOWN = 30; // lines of a list

/* An import that a closed tab has left, or that goes on in another one. */
export function LeftImports() {
  const now = useStore(current);
  const left = project.get().imports.filter(({ id }) => id !== now?.id);
  if (now && !now.id) return null;
  return left.map(
    ({ id, files, bytes }) => html`
      <div class="notice" key=${id}>
        <p>${count("left_import", files, { size: megabytes(bytes) })}</p>
        <button
          type="button"
          class="button"
          onClick=${() => {
            current.set({ id, phase: "looking", refused: [], leftOut: 0, hidden: [], class: null });
            goOn(id);
          }}
        >
          ${t("go_on")}
        </button>
        <button type="button" class="button" onClick=${() => drop(id)}>${t("drop_import")}</button>
      </div>
    `,
  );
}

export function ImportDialog() {
  const now = useStore(current);
  if (!now) return null;
  const close = () => (now.phase === "done" ? current.set(null) : drop(now.id));
  const busy = { sending: Busy, looking: Busy, finishing: Busy };
  const rest = { seen: Seen, unknown: Unknown, nothing: Nothing, done: Done, failed: Failed };
  const Shown = { ...busy, ...rest }[now.phase];
  return html`
    <${Dialog} title=${t("import_title")} class="import" onClose=${close}>
      <${Shown} now=${now} close=${close} />
    <//>
  `;
}

const Busy = ({ now, close }) => html`
  ${now.phase === "sending"
    ? html`<p>${t("import_sending", { sent: now.sent, files: now.files })}</p>`
    : html`<p role="status">${t(`import_${now.phase}`)}</p>`}
  <progress
    aria-label=${t("import_title")}
    max=${now.phase === "sending" && now.files > 1 ? now.files : null}
    value=${now.phase === "sending" && now.files > 1 ? now.sent : null}
  />
  <footer><button type="button" class="button" onClick=${close}>${t("cancel")}</button></footer>
`;

function Seen({ now, close }) {
  const { seen } = now;
  return html`
    <p class="lead">
      ${count("images", seen.images)} · ${count("classes_n", seen.classes.length)} · ${seen.kind_text}
    </p>
    <ul class="seen-classes">
      ${seen.classes.slice(0, SHOWN).map(
        ({ name, images }) => html`<li><span>${name}</span><b>${count("images", images)}</b></li>`,
      )}
    </ul>
    ${seen.notes.map((text) => html`<p class="note">${text}</p>`)}
    <${LeftOut} now=${now} />
    <${RefusedFiles} refused=${now.refused} />
    <footer>
      <button type="button" class="button" onClick=${close}>${t("drop_import")}</button>
      ${!now.class &&
      html`<button
        type="button"
        class="button"
        onClick=${() => current.change({ phase: "unknown", problem: "" })}
      >
        ${t("import_other_class")}
      </button>`}
      <button
        type="button"
        class="button primary"
        onClick=${() => finish(now.class ? { class: now.class } : {})}
      >
        ${count("import_take", seen.images)}
      </button>
    </footer>
  `;
}

function Unknown({ now, close }) {
  const [busy, setBusy] = useState(false);
  const take = (chosen) => {
    setBusy(true);
    finish(chosen);
  };
  return html`
    ${now.problem && html`<p role="alert">${now.problem}</p>`}
    <p>${t("import_one_class")}</p>
    <${ClassChoice}
      disabled=${busy}
      onTake=${(id) => take({ class: id })}
      onName=${(name) => take({ class_name: name })}
    />
    <${LeftOut} now=${now} />
    <${RefusedFiles} refused=${now.refused} />
    <footer><button type="button" class="button" onClick=${close}>${t("drop_import")}</button></footer>
  `;
}

/* Nothing could be read. */
const Nothing = ({ now, close }) => html`
  <p class="lead" role="alert">${t("import_nothing")}</p>
  <${LeftOut} now=${now} />
  <${RefusedFiles} refused=${now.refused} />
  <footer>
    <button type="button" class="button primary" onClick=${close}>${t("close")}</button>
  </footer>
`;

const Done = ({ now, close }) => html`
  <p class="lead" role="status">
    ${sentences(
      count("did_import", now.answer.added),
      now.answer.already > 0 && count("import_already", now.answer.already),
    )}
  </p>
  ${now.answer.notes.map((text) => html`<p class="note">${text}</p>`)}
  <${RefusedFiles} refused=${now.refused} />
  <footer>
    <button type="button" class="button primary" onClick=${close}>${t("close")}</button>
  </footer>
`;

const Failed = ({ now, close }) => html`
  <p class="problem" role="alert">${now.problem}</p>
  <footer>
    <button type="button" class="button" onClick=${close}>${t("drop_import")}</button>
    ${now.id &&
    html`<button type="button" class="button primary" onClick=${() => goOn(now.id)}>
      ${t("try_again")}
    </button>`}
  </footer>
`;

const RefusedFiles = ({ refused }) =>
  refused.length > 0 &&
  html`
    <details class="refused" open>
      <summary><${Icon} name="warning" />${count("refused", refused.length)}</summary>
      <${RefusedNames} refused=${refused} most=${SHOWN} />
    </details>
  `;
