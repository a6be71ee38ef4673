/* Maker: which classifier is exported, and to what; how far that is, and why it was refused. */

import { useEffect, useId, useState } from "preact/hooks";
import { call, connection } from "../api.js";
import { Copyable } from "../copyable.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { useOnce } from "../parts.js";
import { go, place, show } from "../place.js";
import { rooms } from "../rooms.js";
import { described, firstOf } from "../runs.js";
import { useStore } from "../store.js";
import { decimal, t } from "../words.js";
import { formatName } from "./numbers.js";
import { ask, askAloud } from "./ship.js";

export function Maker({ runs, ship }) {
  const ready = runs.filter((run) => run.has_classifier);
  return html`
    <section class="panel maker-panel" aria-labelledby="export-title">
      <h2 id="export-title"><${Icon} name="box" />${t("ship_export")}</h2>
      <p class="lead">${t("ship_about")}</p>
      ${ready.length ? html`<${Choice} runs=${ready} ship=${ship} />` : html`<${Nothing} />`}
    </section>
  `;
}

function Nothing() {
  const train = rooms.find(({ key }) => key === "train");
  return html`
    <p class="notice-line"><${Icon} name="note" />${t("ship_no_run")}</p>
    ${train &&
    html`<div class="buttons">
      <button type="button" class="button primary" onClick=${() => go("train")}>
        <${Icon} name="arrow" />${t("room_train")}
      </button>
    </div>`}
  `;
}

function Choice({ runs, ship }) {
  const { run: chosen, to: toward, precision: asked } = useStore(place); // kept in the address
  const run = runs.find(({ name }) => name === chosen) ?? firstOf(runs);
  const [anySize, setAnySize] = useState(false);
  const [problem, setProblem] = useState("");
  const format = ship.formats.find((one) => one.to === toward) ?? ship.formats[0];
  const wanted = format.precisions.find((one) => one.precision === asked) ?? format.precisions[0];
  const { to } = format;
  const { precision } = wanted;
  const resizes = format.resizes && precision === "float32";
  const json = { run: run.name, to, precision, any_size: resizes && anySize };
  useEffect(() => setProblem(""), [JSON.stringify(json)]);
  const begin = useOnce(async () => {
    const said = await ask("/api/ship/exports", { json });
    setProblem(said.problem ?? "");
  });
  const isRunning = ship.exporting.state === "running";
  return html`
    <form
      class="export-form"
      onSubmit=${(event) => {
        event.preventDefault();
        begin();
      }}
    >
      <label class="run-choice">
        <span>${t("ship_run")}</span>
        <select value=${run.name} onChange=${(event) => show({ run: event.target.value })}>
          ${runs.map(
            (one) => html`<option value=${one.name} selected=${one.name === run.name}>${described(one)}</option>`,
          )}
        </select>
      </label>
      <${Formats} formats=${ship.formats} chosen=${to} onChoose=${(one) => show({ to: one })} />
      <${Precisions} precisions=${format.precisions} chosen=${precision} onChoose=${(one) => show({ precision: one })} />
      ${resizes &&
      html`<label class="check-line">
        <input type="checkbox" checked=${anySize} onChange=${(event) => setAnySize(event.target.checked)} />
        <span>${t("ship_any_size")}</span>
      </label>`}
      ${wanted.missing && html`<p class="problem" role="status">${wanted.missing}</p>`}
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      ${isRunning
        ? html`<${Running} exporting=${ship.exporting} />`
        : html`<div class="buttons">
            <button class="button primary" disabled=${Boolean(wanted.missing)}>
              <${Icon} name="box" />${t("ship_begin")}
            </button>
          </div>`}
      <${Ended} exporting=${ship.exporting} />
      <${Command} json=${json} />
    </form>
  `;
}

const Formats = ({ formats, chosen, onChoose }) => html`
  <fieldset class="formats">
    <legend>${t("ship_format")}</legend>
    <div class="format-grid">
      ${formats.map(
        ({ to, precisions }) => html`
          <label class="format" data-chosen=${to === chosen}>
            <input type="radio" name="to" value=${to} checked=${to === chosen} onChange=${() => onChoose(to)} />
            <span class="format-name">${formatName(to)}</span>
            <span class="format-about">${t(`format_about_${to}`)}</span>
            ${precisions[0].missing &&
            html`<span class="format-missing"><${Icon} name="warning" />${t("ship_not_installed")}</span>`}
          </label>
        `,
      )}
    </div>
  </fieldset>
`;

const Precisions = ({ precisions, chosen, onChoose }) => html`
  <fieldset class="class-chips">
    <legend>${t("ship_precision")}</legend>
    ${precisions.map(
      ({ precision }) => html`
        <label class="chip">
          <input
            type="radio"
            name="precision"
            value=${precision}
            checked=${precision === chosen}
            onChange=${() => onChoose(precision)}
          />
          ${precision}<b>${t(`precision_${precision}`)}</b>
        </label>
      `,
    )}
  </fieldset>
`;

function Running({ exporting }) {
  const { stage_text: stage, done, total, seconds } = exporting;
  return html`
    <div class="running">
      <p>
        <span role="status"><b>${exporting.name}</b> ${stage}</span>
        <span class="note"> ${t("ship_seconds", { n: decimal(Math.round(seconds)) })}</span>
      </p>
      <progress aria-label=${t("ship_export")} max=${total || null} value=${total ? done : null}></progress>
      <button type="button" class="button" onClick=${() => askAloud("/api/ship/exports", { method: "DELETE" })}>
        <${Icon} name="close" />${t("stop")}
      </button>
    </div>
  `;
}

/* How the last export ended. That of a loss can be accepted. */
function Ended({ exporting }) {
  const id = useId();
  const { run, to, precision, any_size: anySize } = exporting;
  const json = { run, to, precision, any_size: anySize, accept_loss: true };
  const accept = useOnce(() => askAloud("/api/ship/exports", { json }));
  if (exporting.state === "done") {
    return html`
      <p class="good" role="status"><${Icon} name="check" />${t("ship_done", { name: exporting.name })}</p>
      ${exporting.notes.map((note) => html`<p class="note"><${Icon} name="note" />${note}</p>`)}
    `;
  }
  if (exporting.state !== "failed") return null;
  return html`
    <div class="failed" role="alert" aria-labelledby=${id}>
      <p id=${id} class="failed-title"><${Icon} name="error" />${t("ship_failed", { name: exporting.name })}</p>
      <p>${exporting.message}</p>
      ${exporting.may_accept &&
      html`<button type="button" class="button" onClick=${accept}>
        ${t("ship_accept")}
      </button>`}
    </div>
  `;
}

/* What does the same at a terminal. */
function Command({ json }) {
  const { times } = useStore(connection);
  const [command, setCommand] = useState("");
  useEffect(() => {
    let gone = false;
    call("/api/ship/command", { json })
      .then((said) => gone || setCommand(said.command))
      .catch(() => gone || setCommand(""));
    return () => {
      gone = true;
    };
  }, [JSON.stringify(json), times]);
  if (!command) return null;
  return html`
    <details class="terminal">
      <summary>${t("ship_terminal")}</summary>
      <div class="command"><${Copyable} label=${t("ship_terminal")} text=${command} /></div>
    </details>
  `;
}
