/* Room 2, Train: what will happen, the training that goes on, and the queue. */

import { useRuns } from "../runs.js";
import { html } from "../html.js";
import { place, showIn } from "../place.js";
import { project } from "../project.js";
import { useStore } from "../store.js";
import { t } from "../words.js";
import { Chosen } from "./choices.js";
import { List } from "./list.js";
import { Shown } from "./shown.js";
import { useTrainings } from "./trainings.js";
import { Vanished } from "./vanished.js";

export function Room() {
  const state = useTrainings();
  const runs = useRuns();
  const { run } = useStore(place);
  useStore(project);
  if (!state || !runs) return html`<p class="waiting room" role="status">${t("train_loading")}</p>`;
  const rows = rowsOf(state.trainings, runs);
  const row = rows.find((one) => one.run === run) ?? first(rows);
  return html`
    <div class="room train">
      <div class="side"><${Chosen} state=${state} onStarted=${(name) => showIn("train", { run: name })} /></div>
      <div class="main">
        <${Vanished} run=${run} rows=${rows} />
        ${row ? html`<${Shown} key=${row.run} row=${row} at=${state.at} />` : html`<${Empty} />`}
        ${rows.length > 0 && html`<${List} rows=${rows} shown=${row} busyWith=${state.busy_with} damage=${state.damage} />`}
      </div>
    </div>
  `;
}

/* Return a row for each training: those of the queue first, then runs that were begun elsewhere. */
function rowsOf(entries, runs) {
  const known = new Set(entries.map((one) => one.run));
  const queued = entries.map((entry) => {
    const found = runs.find(({ name }) => name === entry.run) ?? null;
    return { run: entry.run, entry: isOver(entry, found) ? null : entry, found };
  });
  const order = { running: 0, waiting: 1 };
  const place = ({ entry }) => order[entry?.state] ?? 2;
  const ended = queued.filter((one) => place(one) === 2).reverse();
  const others = runs
    .filter(({ name }) => !known.has(name))
    .map((found) => ({ run: found.name, entry: null, found }));
  return [
    ...queued.filter((one) => place(one) < 2).sort((one, other) => place(one) - place(other)),
    ...[...ended, ...others].sort((one, other) => began(other) - began(one)),
  ];
}

/* Return whether somebody has gone on with a run at a terminal, so that the queue tells of the past. */
const isOver = ({ state }, found) =>
  ["stopped", "killed", "failed"].includes(state) && ["training", "finished"].includes(found?.state);

const began = ({ entry, found }) => Date.parse(found?.began ?? entry?.asked ?? 0) || 0;

const first = (rows) => rows.find(({ entry }) => entry?.state !== "waiting") ?? rows[0];

const Empty = () => html`
  <section class="no-training">
    <h2>${t("train_none")}</h2>
    <p>${t("train_none_text")}</p>
  </section>
`;
