/* Check: the audit of the images, and its findings as filters. */

import { html } from "../html.js";
import { Icon } from "../icons.js";
import { change, project } from "../project.js";
import { useStore } from "../store.js";
import { count, decimal, t } from "../words.js";
import { filter, filters } from "./list.js";
import { pane } from "./tool.js";

const LEVELS = ["error", "warning", "note"];

export function Check() {
  const { audit, total } = useStore(project);
  const Shown = { none: None, running: Running, failed: Failed, done: Done }[audit.state];
  if (!total) return null;
  return html`
    <section class="check" aria-labelledby="check-title">
      <h2 id="check-title">${t("check")}</h2>
      <${Shown} audit=${audit} />
    </section>
  `;
}

const begin = () => change("/api/audit", { json: { features: false } });
const stop = () => change("/api/audit", { method: "DELETE" });

const Begin = ({ text, kind = "" }) => html`
  <button type="button" class="button ${kind}" onClick=${begin}>
    <${Icon} name="search" />${text}
  </button>
`;

const None = () => html`
  <p class="note">${t("check_about")}</p>
  <${Begin} text=${t("check_begin")} kind="primary" />
`;

const Running = ({ audit }) => html`
  <p role="status">${audit.stage_text || t("check_running")}</p>
  <progress
    aria-label=${t("check")}
    max=${audit.total || null}
    value=${audit.total ? audit.done : null}
  ></progress>
  ${audit.total > 0 &&
  html`<p class="note">${t("done_of", { done: decimal(audit.done), all: decimal(audit.total) })}</p>`}
  <button type="button" class="button" onClick=${stop}>${t("stop")}</button>
`;

const Failed = ({ audit }) => html`
  <p class="problem" role="alert">${audit.message}</p>
  <${Begin} text=${t("try_again")} />
`;

function Done({ audit }) {
  const chosen = useStore(filters).finding;
  return html`
    ${audit.stale &&
    html`<p class="note stale"><${Icon} name="note" />${t("check_stale")}</p>
      <${Begin} text=${t("check_again")} />`}
    ${audit.codes.length === 0 &&
    html`<p class="note"><${Icon} name="check" />${t("check_nothing")}</p>`}
    <ul class="codes">
      ${LEVELS.map((level) => audit.codes.filter((one) => one.level === level))
        .flat()
        .map((one) => html`<${CodeRow} key=${one.code} one=${one} chosen=${chosen === one.code} />`)}
    </ul>
    ${audit.left_out.length > 0 &&
    html`<details class="left-out">
      <summary>${count("left_out", audit.left_out.length)}</summary>
      <ul>
        ${audit.left_out.map(({ check, reason }) => html`<li>${check}: ${reason}</li>`)}
      </ul>
    </details>`}
  `;
}

const CodeRow = ({ one, chosen }) => html`
  <li>
    <button
      type="button"
      class="code ${one.level}"
      aria-pressed=${chosen}
      onClick=${() => {
        filter({ finding: chosen ? "" : one.code, class: "", show: "all", search: "" });
        pane.set("images");
      }}
    >
      <${Level} level=${one.level} />
      <span class="title">${one.title}</span>
      <b>${one.images ? count("images", one.images) : decimal(one.findings)}</b>
    </button>
  </li>
`;

/* The sign of a level: its colour and its form, with its name for those who hear the page. */
export const Level = ({ level }) => html`
  <span class="level ${level}" title=${t(`level_${level}`)}>
    <${Icon} name=${level} /><span class="hidden">${t(`level_${level}`)}</span>
  </span>
`;
