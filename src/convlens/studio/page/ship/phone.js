/* Phone: the page of an export, shown to the phones of the network until somebody stops it. */

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { Dialog } from "../parts.js";
import { count, t } from "../words.js";
import { ask, askAloud } from "./ship.js";

export function PhoneButton({ one, phone, camera, onSaid }) {
  const [asks, setAsks] = useState(false);
  if (phone.name === one.name) return null;
  const isBusy = phone.state === "running";
  const start = async (https) => {
    setAsks(false);
    onSaid(await ask(`/api/ship/exports/${encodeURIComponent(one.name)}/phone`, { json: { https } }));
  };
  return html`
    <button type="button" class="button" disabled=${isBusy} onClick=${() => setAsks(true)}>
      <${Icon} name="phone" />${t("phone_start")}
    </button>
    ${asks &&
    html`<${Dialog} title=${t("phone_start")} onClose=${() => setAsks(false)}>
      <p>${t("phone_who")}</p>
      <div class="phone-ways">
        <button type="button" class="button way-button" onClick=${() => start(false)}>
          <b>http</b><span>${t("phone_http")}</span>
        </button>
        <button
          type="button"
          class="button way-button"
          disabled=${Boolean(camera.missing)}
          onClick=${() => start(true)}
        >
          <b>https</b><span>${t("phone_https")}</span>
        </button>
      </div>
      ${camera.missing && html`<p class="note"><${Icon} name="note" />${camera.missing}</p>`}
      <p class="note">${t("phone_copy")}</p>
    <//>`}
  `;
}

export function Phone({ phone }) {
  return html`
    <section class="at-work" aria-label=${t("phone_title")}>
      <header>
        <h4><${Icon} name="phone" />${t("phone_title")}</h4>
        <button type="button" class="button" onClick=${() => askAloud("/api/ship/phone", { method: "DELETE" })}>
          <${Icon} name="close" />${t("phone_stop")}
        </button>
      </header>
      <div class="with-qr">
        <${Qr} src=${phone.qr} address=${phone.address} />
        <div>
          <p role="status">
            ${t("phone_at")} <b class="address">${phone.address}</b>
            <span class="counted">${count("phone_opened", phone.opened)}</span>
          </p>
          <p>${t("phone_who")}</p>
          ${!phone.is_reachable && html`<p class="problem" role="alert">${t("phone_alone")}</p>`}
          <p class="note">${phone.https ? t("phone_warns") : t("phone_photos")}</p>
          ${phone.fingerprint && html`<${Fingerprint} digits=${phone.fingerprint} />`}
        </div>
      </div>
    </section>
  `;
}

export const Fingerprint = ({ digits }) => html`
  <details>
    <summary>${t("fingerprint")}</summary>
    <p class="fingerprint">${digits}</p>
  </details>
`;

/* An address as a picture, where the package is there that draws it. */
export const Qr = ({ src, address }) =>
  src
    ? html`<img class="qr" src=${src} alt=${t("qr_alt", { address })} />`
    : html`<p class="note qr-missing">${t("qr_missing")}</p>`;
