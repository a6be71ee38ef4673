/* Versions: the list of all trainings, with their accuracy on one scale. */

import { html } from "../html.js";
import { go } from "../place.js";
import { moment } from "../time.js";
import { count, decimal, t } from "../words.js";

const MOST = 8; // side by side

export function Versions({ runs, shown, compared }) {
  return html`
    <section class="versions" aria-label=${t("scores_versions")}>
      <h2>${t("scores_versions")}</h2>
      <p class="note">${t("scores_choose")}</p>
      <ol>
        ${runs.map(
          (run) => html`<${Row} key=${run.name} run=${run} shown=${shown === run.name} compared=${compared} />`,
        )}
      </ol>
    </section>
  `;
}

function Row({ run, shown, compared }) {
  const isChecked = compared.includes(run.name);
  const toggle = () => {
    const base = compared.length || !shownRun() ? compared : [shownRun()];
    const rest = base.filter((name) => name !== run.name);
    const next = isChecked ? rest : [...rest, run.name];
    if (next.length) go("scores", { compare: next.join("/") });
    else go("scores", { run: run.name });
  };
  return html`
    <li class="version" data-shown=${shown || isChecked}>
      <button
        type="button"
        class="version-name"
        aria-current=${shown ? "true" : null}
        onClick=${() => go("scores", { run: run.name })}
      >
        <span class="name">${run.name}</span>
        <b>${run.accuracy?.text ?? "–"}</b>
        ${run.accuracy && html`<${Interval} score=${run.accuracy} />`}
        <span class="about">${about(run)}</span>
      </button>
      ${run.has_cells &&
      html`<label class="compare-check">
        <input
          type="checkbox"
          checked=${isChecked}
          disabled=${!isChecked && compared.length >= MOST}
          onChange=${toggle}
        />${t("scores_compare")}<span class="hidden"> ${run.name}</span>
      </label>`}
    </li>
  `;
}

/* The run that was on the screen stands beside the one that is chosen first. */
function shownRun() {
  return document.querySelector(".version-name[aria-current] .name")?.textContent ?? "";
}

function about(run) {
  const parts = [run.kind === "training" ? "" : run.kind_text, run.accuracy ? "" : run.state_text, run.network];
  if (run.accuracy) parts.push(count("scores_tested", run.accuracy.n, { seen: run.scored_text }));
  if (run.corrections) parts.push(count("scores_corrections", run.corrections));
  if (run.began) parts.push(moment(run.began));
  if (run.seconds) parts.push(duration(run.seconds));
  return parts.filter(Boolean).join(" · ");
}

/* The 95 % interval of a proportion on a scale from 0 to 1, with its value. */
export const Interval = ({ score }) => html`
  <span
    class="interval"
    aria-hidden="true"
    style=${{ "--low": score.low, "--high": score.high, "--value": score.value }}
  ><i></i></span>
`;

export function duration(seconds) {
  const isShort = seconds < 90;
  const n = decimal(isShort ? Math.round(seconds) : Math.round(seconds / 6) / 10);
  return t(isShort ? "scores_seconds" : "scores_minutes", { n }).replace(" ", "\u00a0");
}
