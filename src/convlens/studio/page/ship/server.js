/* Server: `convlens serve` for an export, its address, a request to paste, and what it has done. */

import { Copyable } from "../copyable.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { count, t } from "../words.js";
import { useOnce } from "../parts.js";
import { ask, askAloud } from "./ship.js";

export function ServerButton({ one, serving, onSaid }) {
  const isBusy = serving.state === "starting" || serving.state === "running";
  const path = `/api/ship/exports/${encodeURIComponent(one.name)}/serve`;
  const start = useOnce(async () => onSaid(await ask(path)));
  if (isBusy && serving.name === one.name) return null;
  return html`
    <button
      type="button"
      class="button"
      disabled=${isBusy}
      title=${isBusy ? t("serve_busy", { name: serving.name }) : null}
      onClick=${start}
    >
      <${Icon} name="server" />${t("serve_start")}
    </button>
  `;
}

export function Server({ serving }) {
  const isOver = serving.state === "failed";
  return html`
    <section class="at-work" data-over=${isOver} aria-label=${t("serve_title")}>
      <header>
        <h4><${Icon} name="server" />${t("serve_title")}</h4>
        <button type="button" class="button" onClick=${() => askAloud("/api/ship/serving", { method: "DELETE" })}>
          <${Icon} name="close" />${t(isOver ? "close" : "serve_stop")}
        </button>
      </header>
      ${serving.state === "starting" && html`<p role="status">${t("serve_starting")}</p><progress></progress>`}
      ${isOver && html`<p class="problem" role="alert">${serving.message}</p>`}
      ${serving.state === "running" && html`<${Running} serving=${serving} />`}
      ${serving.log.length > 0 &&
      html`<details open=${isOver}>
        <summary>${t("serve_log")}</summary>
        <pre class="log" tabindex="0" aria-label=${t("serve_log")}>${serving.log.join("\n")}</pre>
      </details>`}
    </section>
  `;
}

const Running = ({ serving }) => html`
  <p>
    <span role="status">${t("serve_at")} <b class="address">${serving.address}</b></span>
    ${serving.answered !== null &&
    html`<span class="counted">
      ${count("serve_answered", serving.answered)}${serving.refused
        ? `, ${count("serve_refused", serving.refused)}`
        : ""}
    </span>`}
  </p>
  ${serving.is_found_again && html`<p class="note"><${Icon} name="note" />${t("serve_found")}</p>`}
  <p class="note">${t("serve_curl")}</p>
  <div class="command"><${Copyable} label=${t("serve_curl")} text=${serving.curl} /></div>
  <p class="note">${t("serve_ends")}</p>
`;
