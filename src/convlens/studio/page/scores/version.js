/* Version: what one training has reached. */

import { Curves } from "../curves.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { go } from "../place.js";
import { change } from "../project.js";
import { rooms } from "../rooms.js";
import { count, listed, t } from "../words.js";
import { Calibration } from "./calibration.js";
import { Classes } from "./classes.js";
import { useAnswer, query } from "./load.js";
import { Matrix } from "./matrix.js";

export function Version({ name, row }) {
  const { answer, problem } = useAnswer(`/api/scores?${query({ run: name })}`, {
    isOpen: ({ predictions }) => predictions && predictions.state !== "ready",
    stamp: JSON.stringify(row),
  });
  if (problem) return html`<p class="problem" role="alert">${problem}</p>`;
  if (!answer) return html`<p class="waiting" role="status">${t("scores_loading")}</p>`;
  return html`
    <article class="score" aria-label=${name}>
      <header>
        <h2>${name}</h2>
        <div class="buttons">
          ${answer.report &&
          html`<a class="button" href=${answer.report} target="_blank" rel="noopener noreferrer">
            <${Icon} name="files" />${t("scores_report")}
          </a>`}
          ${answer.confusion && html`<${MistakesButton} name=${name} answer=${answer} />`}
          <${TrainAgain} changed=${answer.has_other_list} />
        </div>
      </header>
      ${row && (!answer.has_scores || row.state !== "finished") && html`<${Unfinished} row=${row} />`}
      ${answer.has_scores && html`<${Headline} answer=${answer} />`}
      ${answer.networks && html`<${Networks} answer=${answer} />`}
      ${answer.confusion && html`<${Cells} name=${name} answer=${answer} />`}
      ${answer.metrics && html`<${AllScores} rows=${answer.metrics} />`}
      ${answer.facts && html`<${Recorded} answer=${answer} />`}
    </article>
  `;
}

function MistakesButton({ name, answer }) {
  const wrong = answer.confusion.reduce(
    (sum, row, label) => sum + row.reduce((part, n, other) => part + (other === label ? 0 : n), 0),
    0,
  );
  return html`
    <button
      type="button"
      class="button"
      disabled=${!wrong}
      onClick=${() => go("scores", { run: name, only: "mistakes" })}
    >
      <${Icon} name="images" />${count("scores_mistakes", wrong)}
    </button>
  `;
}

/* Only a page that has a room for trainings leads to it. */
export function TrainAgain({ changed }) {
  if (!rooms.some(({ key }) => key === "train")) return null;
  return html`
    <button type="button" class="button ${changed ? "primary" : ""}" onClick=${() => go("train")}>
      <${Icon} name="arrow" />${t(changed ? "scores_train_changed" : "scores_train")}
    </button>
  `;
}

/* What a run is that has no scores yet, and how to go on. */
const Unfinished = ({ row }) => html`
  <div class="unfinished">
    <${Icon} name=${row.state === "damaged" ? "error" : "note"} />
    <div>
      <p><b>${row.kind_text}: ${row.state_text}</b>${row.progress !== "-" && ` · ${row.progress}`}</p>
      ${row.problems.map((text) => html`<p class="problem">${text}</p>`)}
      <p>${t(`scores_state_${row.state}`)}</p>
      ${row.resume && html`<pre tabindex="0"><code>${row.resume}</code></pre>`}
    </div>
  </div>
`;

const Headline = ({ answer }) => html`
  <section class="headline">
    <p class="figure">
      <b>${answer.accuracy.text}</b>
      <span>${t("scores_accuracy")} · ${t("scores_interval")} ${answer.accuracy.interval} · ${count("scores_tested", answer.accuracy.n, { seen: answer.seen })}</span>
    </p>
    ${[answer.said, answer.none_of_these, answer.uncalibrated, answer.epochs_verdict]
      .filter(Boolean)
      .map((text) => html`<p>${text}</p>`)}
    ${answer.has_other_list && html`<p class="note"><${Icon} name="note" />${t("scores_list_changed")}</p>`}
    ${!answer.is_here && html`<p class="note"><${Icon} name="note" />${t("scores_elsewhere", { path: answer.path })}</p>`}
    ${answer.confusion === undefined && html`<p class="note"><${Icon} name="note" />${t("scores_no_images")}</p>`}
  </section>
`;

/* The networks of a comparison. */
const Networks = ({ answer }) => html`
  <section>
    <h3>${t("scores_networks")}</h3>
    <div class="scroll" tabindex="0" role="region" aria-label=${t("scores_networks")}>
      <table class="numbers">
        <thead><tr><th scope="col">${t("scores_network")}</th><th scope="col">${t("scores_validation")}</th><th scope="col">${t("scores_test")}</th></tr></thead>
        <tbody>
          ${answer.networks.map(
            ({ name, validation, test }) => html`<tr><th scope="row">${name}</th><td>${validation.text} ${validation.interval}</td><td>${test.text} ${test.interval}</td></tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${answer.verdicts.map((text) => html`<p>${text}</p>`)}
  </section>
`;

const Cells = ({ name, answer }) => html`
  <section>
    <h3>${t("scores_matrix")}</h3>
    <${PredictionsNote} name=${name} found=${answer.predictions} />
    <${Matrix} run=${name} answer=${answer} />
  </section>
  <section>
    <h3>${t("scores_classes")}</h3>
    <${Classes} rows=${answer.classes} />
  </section>
  <section>
    ${answer.history.length > 1 && html`<${Curves} history=${answer.history} best=${answer.best_epoch} />`}
    <${Calibration} bins=${answer.calibration} />
  </section>
`;

/* Older runs do not say what they predict for each image; a process finds it out. */
export function PredictionsNote({ name, found }) {
  if (found.state === "ready") {
    return found.differ ? html`<p class="note">${count("scores_differ", found.differ)}</p>` : null;
  }
  if (found.state === "running") {
    return html`
      <div class="notice" role="status">
        <p>${t("scores_predicting", { name })} ${found.stage_text}</p>
        <progress max=${found.total || 1} value=${found.done} aria-label=${t("scores_predicting", { name })}></progress>
      </div>
    `;
  }
  const begin = () => change("/api/scores/predictions", { json: { run: name } });
  return html`
    <div class="notice">
      ${found.message && html`<p class="problem" role="alert">${found.message}</p>`}
      <p>${t("scores_predict_why", { name })}</p>
      <button type="button" class="button" onClick=${begin}>${t("scores_predict")}</button>
    </div>
  `;
}

const AllScores = ({ rows }) => html`
  <section>
    <h3>${t("scores_all_scores")}</h3>
    <dl class="all-scores">
      ${rows.map(
        ({ name, meaning, text, interval }) => html`<div><dt>${name}</dt><dd><b>${text}</b> ${interval}</dd><dd class="note">${meaning}</dd></div>`,
      )}
    </dl>
  </section>
`;

/* Return a list of corrections that a training has used, and how long it was. */
export const corrections = ({ name, rows }) => listed([name, count("scores_corrections", rows)], "comma");

const Recorded = ({ answer }) => html`
  <section>
    <h3>${t("scores_recorded")}</h3>
    <dl class="facts">
      ${answer.facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
      ${answer.lists.map(
        (one) => html`<div><dt>${t("scores_list")}</dt><dd>${corrections(one)}</dd></div>`,
      )}
    </dl>
    <details>
      <summary>${t("scores_settings")}</summary>
      <dl class="facts settings-list">
        ${answer.settings.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
      </dl>
    </details>
  </section>
`;
