/* Compare: versions side by side, with the paired test of each two on their common test images. */

import { html } from "../html.js";
import { Icon } from "../icons.js";
import { IconButton } from "../parts.js";
import { go } from "../place.js";
import { moment } from "../time.js";
import { count, decimal, listed, t } from "../words.js";
import { query, useAnswer } from "./load.js";
import { corrections, PredictionsNote } from "./version.js";
import { duration, Interval } from "./versions.js";

export function Compared({ names, runs }) {
  const isEnough = names.length > 1;
  const path = isEnough && `/api/scores/compare?${query({ run: names })}`;
  const { answer, problem } = useAnswer(path, {
    isOpen: ({ missing }) => Object.keys(missing).length > 0,
    stamp: JSON.stringify(runs.filter(({ name }) => names.includes(name))),
  });
  return html`
    <article class="score" aria-label=${t("scores_side_by_side")}>
      <header><h2>${t("scores_side_by_side")}</h2></header>
      ${!isEnough && html`<p class="note"><${Icon} name="note" />${t("scores_one_more", { name: names[0] })}</p>`}
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      ${isEnough && !answer && !problem && html`<p class="waiting" role="status">${t("scores_loading")}</p>`}
      ${answer &&
      Object.entries(answer.missing).map(
        ([name, found]) => html`<${PredictionsNote} key=${name} name=${name} found=${found} />`,
      )}
      ${answer?.versions && html`<${Result} names=${names} answer=${answer} />`}
    </article>
  `;
}

const Result = ({ names, answer }) => html`
  <section class="verdicts" aria-live="polite">
    ${answer.notes.map((text) => html`<p class="note"><${Icon} name="note" />${text}</p>`)}
    ${answer.pairs.map((pair) => html`<${Pair} key=${pair.text} names=${names} pair=${pair} />`)}
    ${!answer.pairs.length && html`<p class="problem">${t("scores_none_common")}</p>`}
    ${answer.pairs.length > 0 && html`<p class="note">${answer.test}</p>`}
  </section>
  <section>
    <h3>${t("scores_recorded")}</h3>
    <div class="scroll" tabindex="0" role="region" aria-label=${t("scores_recorded")}>
      <${Facts} names=${names} answer=${answer} />
    </div>
  </section>
`;

function Pair({ names, pair }) {
  const fields = { compare: names.join("/"), first: pair.first, second: pair.second };
  const button = (cell, number) => html`
    <button
      type="button"
      class="link"
      disabled=${!number}
      aria-label=${`${t(`scores_pair_${cell}`, pair)}: ${count("images", number)}`}
      onClick=${() => go("scores", { ...fields, cell })}
    >${decimal(number)}</button>
  `;
  const [first, second] = pair.accuracies.map(({ text }) => text);
  return html`
    <div class="pair" data-real=${pair.real}>
      <p class="verdict">${pair.text}</p>
      <div class="pair-numbers">
        <table class="two">
          <caption class="hidden">${listed([pair.first, pair.second])}</caption>
          <thead>
            <tr><td></td><th scope="col">${t("scores_right", { name: pair.second })}</th><th scope="col">${t("scores_wrong", { name: pair.second })}</th></tr>
          </thead>
          <tbody>
            <tr><th scope="row">${t("scores_right", { name: pair.first })}</th><td>${button("both", pair.both)}</td><td data-only="true">${button("first", pair.first_only)}</td></tr>
            <tr><th scope="row">${t("scores_wrong", { name: pair.first })}</th><td data-only="true">${button("second", pair.second_only)}</td><td>${button("neither", pair.neither)}</td></tr>
          </tbody>
        </table>
        <figure class="difference">
          <figcaption>${t("scores_difference", { first: pair.first, second: pair.second })}</figcaption>
          <p><b>${t("scores_points", { n: pair.difference_text })}</b> ${t("scores_interval")} ${pair.difference_interval}</p>
          <${Difference} pair=${pair} />
          <p class="common">${count("scores_common", pair.n)}<br />${listed([`${pair.first} ${first}`, `${pair.second} ${second}`])}</p>
        </figure>
      </div>
    </div>
  `;
}

/* The interval of a difference on a scale that has 0 in its middle. */
function Difference({ pair }) {
  const reach = Math.max(Math.abs(pair.low), Math.abs(pair.high), 0.01) * 1.1;
  const place = (value) => (value / reach + 1) / 2;
  const score = { low: place(pair.low), high: place(pair.high), value: place(pair.difference) };
  return html`
    <div class="from-zero"><${Interval} score=${score} /></div>
    <p class="ends" aria-hidden="true"><span>${t("scores_better", { name: pair.first })}</span><span>${t("scores_better", { name: pair.second })}</span></p>
  `;
}

function Facts({ names, answer }) {
  const { versions } = answer;
  const row = (name, value) => ({ name, cells: versions.map(value) });
  const short = (text) => text.slice(0, 16);
  const rows = [
    row(t("scores_accuracy"), ({ accuracy, seen }) => listed([`${accuracy.text} ${accuracy.interval}`, count("scores_tested", accuracy.n, { seen })], "comma")),
    row(t("scores_network"), ({ network }) => network),
    row(t("scores_images"), ({ images }) => decimal(images)),
    row(t("scores_fingerprint"), ({ fingerprint }) => short(fingerprint)),
    row(t("scores_list"), ({ lists }) => listed(lists.map(corrections), "semicolon") || t("scores_no_list")),
    row(t("scores_began"), ({ began }) => (began ? moment(began) : "–")),
    row(t("scores_time"), ({ seconds }) => (seconds ? duration(seconds) : "–")),
    ...answer.differences.map(({ setting, values }) => ({ name: setting, cells: values.map(written) })),
  ];
  return html`
    <table class="numbers beside">
      <thead>
        <tr>
          <td></td>
          ${versions.map(
            ({ name }) => html`<th scope="col">
              ${name}
              <${IconButton} icon="close" label=${t("scores_leave_out", { name })} onClick=${() => leave(names, name)} />
            </th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ name, cells }) => html`<tr data-differs=${new Set(cells).size > 1}>
            <th scope="row">${name}</th>${cells.map((text) => html`<td>${text}</td>`)}
          </tr>`,
        )}
      </tbody>
    </table>
  `;
}

const written = (value) => (value === null ? "–" : Array.isArray(value) ? listed(value) : String(value));

function leave(names, gone) {
  const rest = names.filter((name) => name !== gone);
  go("scores", rest.length > 1 ? { compare: rest.join("/") } : { run: rest[0] });
}
