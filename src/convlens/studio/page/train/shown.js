/* Shown: one training, while it goes on and after it. */

import { useState } from "preact/hooks";
import { Copyable } from "../copyable.js";
import { Curves } from "../curves.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { useOnce } from "../parts.js";
import { go, showIn } from "../place.js";
import { rooms } from "../rooms.js";
import { percent, sentences, t } from "../words.js";
import { Enough, spent } from "./enough.js";
import { Mistakes } from "./mistakes.js";
import { about, clock, exactly } from "../time.js";
import { act, removeTraining, useNow, useSecondsSince } from "./trainings.js";

export function Shown({ row, at }) {
  const { run, entry, found } = row;
  const now = useNow(run);
  const state = stateOf(row);
  return html`
    <article class="shown-training" aria-labelledby="shown-title">
      <header>
        <h2 id="shown-title">${run}</h2>
        <${State} state=${state} text=${stateText(row, state)} />
        <${Buttons} row=${row} state=${state} />
      </header>
      ${state === "running" && html`<${Running} row=${row} at=${at} />`}
      ${state === "waiting" && html`<p class="note">${t("train_waits")}</p>`}
      <${Ended} row=${row} state=${state} now=${now} />
      ${entry && found?.problems.map((text) => html`<p class="problem">${text}</p>`)}
      ${now &&
      html`
        <${Curves} history=${now.history} asked=${found?.asked} />
        ${state !== "waiting" && !now.history.length && html`<${NoCurve} row=${row} state=${state} now=${now} />`}
        <${Mistakes} live=${now.live} />
        <${Terminal} entry=${entry} log=${now.log} />
      `}
    </article>
  `;
}

/* Return one word for the state of a training, whoever has begun it. */
export function stateOf({ entry, found }) {
  if (entry) return entry.state === "finished" && !found ? "gone" : entry.state;
  return { training: "running", resumable: "stopped", not_begun: "killed" }[found.state] ?? found.state;
}

export const stateText = ({ entry, found }, state) =>
  state === "gone" ? t("train_state_gone") : (entry?.state_text ?? found.state_text);

const ICONS = {
  running: "play",
  waiting: "clock",
  finished: "check",
  stopped: "pause",
  failed: "error",
  killed: "warning",
  gone: "warning",
  damaged: "error",
};

export const State = ({ state, text }) => html`
  <span class="state" data-state=${state}><${Icon} name=${ICONS[state] ?? "note"} />${text}</span>
`;

function Buttons({ row: { run, entry, found }, state }) {
  // With the same budget it would fail again.
  const canGoOn = entry ? entry.can_go_on && !entry.needed : found?.state === "resumable";
  const again = entry && !entry.is_begun ? "try_again" : "train_continue";
  const goOn = useOnce(() =>
    entry ? act(`/${entry.id}/continue`) : act("/continue", { json: { run } }),
  );
  return html`
    <div class="buttons">
      ${entry &&
      state === "running" &&
      html`<button type="button" class="button" disabled=${entry.stopping} onClick=${() => act(`/${entry.id}/stop`)}>
        <${Icon} name="pause" />${t(entry.stopping ? "train_stopping" : "train_stop")}
      </button>`}
      ${canGoOn &&
      html`<button type="button" class="button primary" onClick=${goOn}>
        <${Icon} name="play" />${t(again)}
      </button>`}
      ${["scores", "try"]
        .filter((key) => rooms.some((one) => one.key === key))
        // A classifier is there before its report, and while its layers still learn.
        .filter((key) => state === "finished" || (key === "try" && found?.has_classifier))
        .map(
          (key) => html`
            <button type="button" class="button primary" onClick=${() => go(key, { run })}>
              <${Icon} name="arrow" />${t(`train_to_${key}`)}
            </button>
          `,
        )}
    </div>
  `;
}

/* How far it is, and how long it still takes. */
function Running({ row: { entry, found }, at }) {
  const passed = useSecondsSince(at);
  const progress = entry?.progress;
  const left = entry?.left == null ? null : entry.left - passed;
  const epochs = found?.asked ? t("train_progress", { progress: found.progress }) : "";
  const share = progress?.total ? progress.done / progress.total : null;
  return html`
    <div class="running">
      <p>
        <b role="status">${progress?.stage || epochs || t("train_starting")}</b>
        ${share !== null && html` <span>${percent(Math.floor(100 * share) / 100, 0)}</span>`}
      </p>
      <progress aria-label=${t("train_how_far")} max="1" value=${share}></progress>
      <p class="times">
        ${entry?.began && html`<span>${t("train_since", { time: clock(entry.now - entry.began + passed) })}</span>`}
        ${left !== null &&
        html`<span>${left > 1 ? t("train_left", { time: clock(left) }) : t("train_soon")}</span>`}
      </p>
      <p class="note">${t(entry ? "train_safe" : "train_elsewhere")}</p>
    </div>
  `;
}

function Ended({ row: { entry, found }, state, now }) {
  if (state === "failed") return html`<${Failed} entry=${entry} />`;
  if (state === "killed" || state === "stopped") {
    const isBegun = entry ? entry.is_begun : found.state === "resumable";
    const stopped = t(isBegun ? "train_stopped" : "train_stopped_early");
    const why = state === "killed" ? t("train_killed") : stopped;
    const can = entry ? entry.can_go_on : isBegun;
    const how = t(isBegun ? "train_can_go_on" : "train_can_begin");
    return html`<p class="ended"><${Icon} name=${state === "killed" ? "warning" : "pause"} />
      <span>${sentences(why, entry?.message, can && how)}</span>
    </p>`;
  }
  if (state === "damaged") return html`<p class="problem ended">${found.problems.join(" ")}</p>`;
  if (state === "gone") return html`<p class="ended"><${Icon} name="warning" />${t("train_gone")}</p>`;
  if (state !== "finished") return null;
  return html`<${Result} now=${now} found=${found} />`;
}

/* Why a training has failed, and what one can do about it on this page. */
function Failed({ entry }) {
  const { needed, message, choice } = entry;
  const longer = useOnce(async (seconds) => {
    const answer = await act("", { json: { ...choice, seconds } });
    if (!answer) return;
    showIn("train", { run: answer.training.run });
    await removeTraining(entry); // nothing of it is on the disk
  });
  if (!needed) {
    return html`
      <p class="problem ended" role="alert"><${Icon} name="error" /><span>${message}</span></p>
      ${/(^|\s)--[a-z]/.test(message) && html`<p class="note">${t("train_flags")}</p>`}
    `;
  }
  return html`
    <p class="problem ended" role="alert"><${Icon} name="error" />
      <span>${t("budget_failed", { time: exactly(choice.seconds), ...spent(needed) })}</span>
    </p>
    <div class="buttons">
      <${Enough} needed=${needed} onTake=${longer} kind="primary" />
      <button type="button" class="button" onClick=${() => go("images")}>
        <${Icon} name="images" />${t("train_to_images")}
      </button>
    </div>
  `;
}

/* The accuracy with its interval, in words. */
function Result({ now, found }) {
  if (!now) return null;
  const { accuracy, said, verdict } = now;
  if (!accuracy) return html`<p class="ended"><${Icon} name="check" /><span>${t("result_none")}</span></p>`;
  return html`
    <div class="result">
      <p class="number"><b>${accuracy.text}</b> ${t("result_accuracy")} · ${t("scores_interval")} ${accuracy.interval}</p>
      ${said && html`<p>${said}</p>`}
      ${verdict && html`<p class="note">${verdict}</p>`}
      ${found?.seconds > 0 && html`<p class="note">${t("result_seconds", { time: about(found.seconds) })}</p>`}
    </div>
  `;
}

/* Why there is no curve. */
const NoCurve = ({ row, state, now }) => {
  if (row.entry?.choice?.way === "head" && now.live) return html`<p class="note">${t("curve_no_epochs")}</p>`;
  return state === "running" ? html`<p class="note">${t("curve_later")}</p>` : null;
};

/* What the command line says of it, and how one goes on there. */
function Terminal({ entry, log }) {
  const [isOpen, setOpen] = useState(false);
  if (!entry?.command) return null;
  return html`
    <details class="terminal command" open=${isOpen} onToggle=${(event) => setOpen(event.target.open)}>
      <summary>${t("train_terminal")}</summary>
      ${isOpen &&
      html`<${Copyable} label=${t("train_with")} text=${entry.command} />
        ${log && html`<pre class="log" tabindex="0" aria-label=${t("train_log")}>${log}</pre>`}`}
    </details>
  `;
}
