/* Room 3, Scores: what each training has reached, its mistakes, and versions side by side.

   The address has `run`, with a cell (`true`, `predicted`, `only`), or `compare`, the names of runs
   with slashes between them, with a cell (`first`, `second`, `cell`). */

import { html } from "../html.js";
import { Icon } from "../icons.js";
import { go, place } from "../place.js";
import { useRuns } from "../runs.js";
import { useStore } from "../store.js";
import { t } from "../words.js";
import { Compared } from "./compare.js";
import { ImagesPanel } from "./panel.js";
import { Version } from "./version.js";
import { Versions } from "./versions.js";

export function Room() {
  const runs = useRuns();
  const fields = useStore(place);
  if (runs === null) return html`<p class="waiting" role="status">${t("scores_loading")}</p>`;
  if (!runs.length) return html`<${Nothing} />`;
  const compared = fields.compare ? fields.compare.split("/") : [];
  const isChosen = Boolean(fields.run || fields.compare);
  const run = fields.run ?? (runs.find(({ accuracy }) => accuracy) ?? runs[0]).name;
  const cell = cellOf(fields, run, compared);
  return html`
    <div class="room scores-room" data-chosen=${isChosen} data-cell=${cell !== null}>
      <${Versions} runs=${runs} shown=${compared.length ? null : run} compared=${compared} />
      <div class="score-main">
        <button type="button" class="link back" onClick=${() => go("scores")}>${t("scores_all")}</button>
        ${compared.length
          ? html`<${Compared} key=${fields.compare} names=${compared} runs=${runs} />`
          : html`<${Version} key=${run} name=${run} row=${runs.find(({ name }) => name === run)} />`}
      </div>
      ${cell && html`<${ImagesPanel} key=${cell.path} ...${cell} />`}
    </div>
  `;
}

/* Return what the panel of images shows, or null. */
function cellOf(fields, run, compared) {
  if (compared.length && fields.cell) {
    const { first, second, cell } = fields;
    return { kind: "pair", run: compared, first, second, cell, path: `/api/scores/compare/images` };
  }
  if (compared.length || !(fields.true || fields.predicted || fields.only)) return null;
  const { true: label, predicted, only } = fields;
  return { kind: "cell", run, true: label, predicted, only, path: "/api/scores/images" };
}

const Nothing = () => html`
  <div class="room scores-room">
    <div class="score-empty">
      <${Icon} name="note" />
      <h2>${t("scores_nothing")}</h2>
      <p>${t("scores_nothing_how")}</p>
    </div>
  </div>
`;
