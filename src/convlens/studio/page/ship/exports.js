/* Exports: the exported folders of the workspace, each with its proof and what can be done with it. */

import { useState } from "preact/hooks";
import { Copyable } from "../copyable.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { Dialog, useOnce } from "../parts.js";
import { say } from "../say.js";
import { count, decimal, listed, t } from "../words.js";
import { bytes, formatName } from "./numbers.js";
import { Phone, PhoneButton } from "./phone.js";
import { Proof, Scores } from "./proof.js";
import { Server, ServerButton } from "./server.js";
import { ask, download } from "./ship.js";

export function Exports({ ship }) {
  const gone = goneOf(ship);
  if (!ship.exports.length && !gone.length) return null;
  return html`
    <section class="exports" aria-labelledby="exports-title">
      <h2 id="exports-title">${t("ship_exports")}</h2>
      ${gone.includes("serving") && html`<div class="panel"><${Server} serving=${ship.serving} /></div>`}
      ${gone.includes("phone") && html`<div class="panel"><${Phone} phone=${ship.phone} /></div>`}
      <ol>
        ${ship.exports.map((one) => html`<li key=${one.name}><${Card} one=${one} ship=${ship} /></li>`)}
      </ol>
    </section>
  `;
}

/* What still runs although somebody has removed its folder. */
function goneOf({ exports, serving, phone }) {
  const isGone = ({ state, name }) => state !== "none" && !exports.some((one) => one.name === name);
  return Object.entries({ serving, phone })
    .filter(([, status]) => isGone(status))
    .map(([key]) => key);
}

function Card({ one, ship }) {
  const [problem, setProblem] = useState("");
  const heard = ({ problem: wrong }) => setProblem(wrong ?? "");
  const isServed = ship.serving.name === one.name;
  const isShown = ship.phone.name === one.name;
  return html`
    <article class="panel export" aria-label=${one.name}>
      <header>
        <h3>${one.name}</h3>
        <${Verdict} one=${one} />
      </header>
      ${one.problem
        ? html`<p class="problem">${one.problem}</p>`
        : html`
            <p class="export-about">${about(one)}</p>
            ${one.changed_files.length > 0 &&
            html`<p class="problem" role="status">
              ${t("ship_changed_files", { files: listed(one.changed_files.slice(0, 5)) })}
            </p>`}
            <div class="evidence">
              <${Proof} one=${one} />
              ${one.scores.length > 0 && html`<${Scores} one=${one} />`}
            </div>
          `}
      <div class="buttons">
        <${DownloadButton} name=${one.name} size=${one.bytes} onProblem=${setProblem} />
        ${!one.problem && html`<${ServerButton} one=${one} serving=${ship.serving} onSaid=${heard} />`}
        ${one.format === "web" && html`<${PhoneButton} one=${one} phone=${ship.phone} camera=${ship.camera} onSaid=${heard} />`}
        <${RemoveButton} one=${one} onSaid=${heard} />
      </div>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      ${isServed && html`<${Server} serving=${ship.serving} />`}
      ${isShown && html`<${Phone} phone=${ship.phone} />`}
      <${Files} one=${one} />
      <${Commands} one=${one} />
    </article>
  `;
}

function about(one) {
  const engine = `${one.engine} ${one.engine_version}`;
  const classes = count("ship_classes", one.class_names.length);
  return [formatName(one.format), one.precision, engine, classes, bytes(one.bytes)].join(" · ");
}

function Verdict({ one }) {
  const isWhole = !one.problem && !one.changed_files.length;
  const holds = isWhole && one.proof.holds;
  const text = one.problem ? "ship_damaged" : !isWhole ? "ship_changed" : holds ? "ship_holds" : "ship_fails";
  return html`
    <span class="verdict" data-good=${holds}>
      <${Icon} name=${holds ? "check" : "error"} />${t(text)}
    </span>
  `;
}

function DownloadButton({ name, size, onProblem }) {
  const path = `/api/ship/exports/${encodeURIComponent(name)}/zip`;
  const save = useOnce(async () => onProblem(await download(path)));
  return html`
    <button type="button" class="button" onClick=${save}>
      <${Icon} name="download" />${t("ship_zip", { size: bytes(size) })}
    </button>
  `;
}

function RemoveButton({ one, onSaid }) {
  const [asks, setAsks] = useState(false);
  const remove = async () => {
    setAsks(false);
    const said = await ask(`/api/ship/exports/${encodeURIComponent(one.name)}`, { method: "DELETE" });
    if (said.answer) say(t("ship_removed", { name: one.name }));
    else onSaid(said);
  };
  return html`
    <button type="button" class="button" onClick=${() => setAsks(true)}>
      <${Icon} name="trash" />${t("ship_remove")}
    </button>
    ${asks &&
    html`<${Dialog} title=${t("ship_remove_title", { name: one.name })} onClose=${() => setAsks(false)}>
      <p>${t("ship_remove_about")}</p>
      <footer>
        <button type="button" class="button" onClick=${() => setAsks(false)}>${t("cancel")}</button>
        <button type="button" class="button danger" onClick=${remove}>
          <${Icon} name="trash" />${t("ship_remove")}
        </button>
      </footer>
    <//>`}
  `;
}

const Files = ({ one }) => html`
  <details>
    <summary>${count("ship_files", one.number)}</summary>
    <p class="note">${one.folder}</p>
    <ul class="files" tabindex="0" aria-label=${count("ship_files", one.number)}>
      ${one.files.map(
        ([name, size]) => html`<li><span>${name}</span><b>${bytes(size)}</b></li>`,
      )}
    </ul>
    ${one.number > one.files.length &&
    html`<p class="note">${t("ship_more_files", { n: decimal(one.number - one.files.length) })}</p>`}
  </details>
`;

const Commands = ({ one }) => html`
  <details class="terminal">
    <summary>${t("ship_terminal")}</summary>
    ${Object.entries(one.commands).map(
      ([key, text]) => html`
        <p class="note">${t(`command_${key}`)}</p>
        <div class="command"><${Copyable} label=${t(`command_${key}`)} text=${text} /></div>
      `,
    )}
  </details>
`;
