/* Answer: what the classifier says of the image, large enough for a lecture hall. */

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { ClassSign } from "../parts.js";
import { project } from "../project.js";
import { useStore } from "../store.js";
import { decimal, percent, t } from "../words.js";
import { openRun, rate, tried } from "./live.js";

const SPOKEN = 1500; // milliseconds between two answers that are read aloud
const MOST_FIXED = 10; // classes whose bars stay at their places

/* Return the place of a class, which chooses its colour: that of the workspace, if it knows it. */
export function placeOf(name, names) {
  const found = project.get().classes.findIndex((one) => one.name === name);
  return found >= 0 ? found : Math.max(0, names.indexOf(name));
}

export function Answer() {
  const state = useStore(tried);
  const { answer, status, problem } = state;
  return html`
    <section class="answer" aria-label=${t("try_answer")}>
      ${problem && html`<${Trouble} ...${state} />`}
      ${answer ? html`<${Said} ...${state} />` : !problem && html`<${Waiting} ...${state} />`}
      ${answer && html`<${Bars} answer=${answer} names=${status?.class_names ?? []} />`}
      ${answer && html`<${Pace} ...${state} />`}
      <${Spoken} answer=${answer} />
    </section>
  `;
}

function Waiting({ status, source }) {
  const isLoading = !status || status.state === "loading"; // one that has ended begins when asked
  const hint = { webcam: "try_camera_first", board: "try_draw_first" }[source];
  return html`
    <p class="no-answer" role="status">
      ${isLoading ? html`<i class="spinner"></i>${t("try_loading")}` : hint && t(hint)}
    </p>
  `;
}

/* Why there is no answer, and what can be done. */
function Trouble({ problem, halted, run, status }) {
  const isOther = halted === "other";
  const again = isOther ? t("try_here", { name: run }) : t("try_again");
  const isLoading = !halted && status?.state === "loading";
  return html`
    <div class="trouble" role="alert">
      <${Icon} name="warning" /><p>${problem}${isLoading && ` ${t("try_loading")}`}</p>
      ${["other", "run"].includes(halted) &&
      html`<button type="button" class="button" onClick=${() => openRun(run, { insist: isOther })}>
        ${again}
      </button>`}
    </div>
  `;
}

function Said({ answer, status }) {
  const { label, probability, known, threshold } = answer;
  const place = placeOf(label, status?.class_names ?? []);
  if (known) {
    return html`
      <p class="said" data-known="true">
        <${ClassSign} place=${place} /><span class="label">${label}</span>
        <b>${percent(probability, 0)}</b>
      </p>
      <p class="reason">${threshold !== null && t("try_threshold", { threshold: percent(threshold) })}</p>
    `;
  }
  const digits = percent(probability) === percent(threshold) ? 2 : 1;
  const fields = { label, percent: percent(probability, digits), threshold: percent(threshold, digits) };
  return html`
    <p class="said" data-known="false">
      <${Icon} name="exclude" /><span class="label">${t("try_none")}</span>
    </p>
    <p class="reason">${t("try_why_none", fields)}</p>
  `;
}

/* A bar for each class. They keep their places, unless there are so many that only some are shown. */
function Bars({ answer, names }) {
  const { probabilities, label, known, threshold } = answer;
  const isAll = names.length <= MOST_FIXED;
  const order = ([one], [other]) => names.indexOf(one) - names.indexOf(other);
  const shown = isAll ? [...probabilities].sort(order) : probabilities;
  return html`
    <ol class="bars">
      ${shown.map(([name, share]) => {
        const place = placeOf(name, names);
        return html`
          <li key=${name} data-best=${known && name === label}>
            <span class="name"><${ClassSign} place=${place} /><span>${name}</span></span>
            <span class="track">
              <i data-colour=${place % 8} style=${{ width: `${100 * share}%` }}></i>
              ${threshold !== null && html`<u style=${{ left: `${100 * threshold}%` }}></u>`}
            </span>
            <span class="share">${percent(share)}</span>
          </li>
        `;
      })}
    </ol>
    ${!isAll &&
    html`<p class="note">${t("try_top", { n: shown.length, total: decimal(names.length) })}</p>`}
  `;
}

function Pace(state) {
  const { answer, source, frozen } = state;
  const now = source === "webcam" && !frozen ? rate(state) : 0;
  const milliseconds = decimal(Math.max(1, Math.round(answer.milliseconds)));
  const [width, height] = answer.seen_as;
  const pace = now
    ? t("try_pace", { rate: decimal(Math.round(now)), milliseconds })
    : t("try_took", { milliseconds });
  return html`<p class="note pace">${pace} · ${t("try_seen_as", { width, height })}</p>`;
}

/* What screen readers say: the answer, at most every other second. */
function Spoken({ answer }) {
  const [text, setText] = useState("");
  const last = useRef(0);
  const label = answer && (answer.known ? answer.label : t("try_none"));
  useEffect(() => {
    if (!label) return undefined;
    const wait = Math.max(0, SPOKEN - (performance.now() - last.current));
    const timer = setTimeout(() => {
      last.current = performance.now();
      const now = tried.get().answer;
      if (now) setText(t("try_now_says", { label, percent: percent(now.probability, 0) }));
    }, wait);
    return () => clearTimeout(timer);
  }, [label]);
  return html`<p class="hidden" role="status">${text}</p>`;
}
