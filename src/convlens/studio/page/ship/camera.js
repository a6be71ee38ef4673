/* Camera: which way a phone, or this browser, takes images, and how one gets the other way. */

import { useState } from "preact/hooks";
import { call, Gone } from "../api.js";
import { Copyable } from "../copyable.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { t } from "../words.js";
import { Fingerprint, Qr } from "./phone.js";

export function Camera({ camera }) {
  const isLive = isSecureContext && Boolean(navigator.mediaDevices);
  return html`
    <section class="panel" aria-labelledby="camera-title">
      <h2 id="camera-title"><${Icon} name="phone" />${t("camera_title")}</h2>
      <ul class="camera-ways">
        <${Way}
          is=${isLive}
          otherwise="camera_not_available"
          icon="camera"
          title=${t("camera_live")}
          about=${t("camera_live_about")}
        />
        <${Way}
          is=${!isLive}
          otherwise="camera_not_at_work"
          icon="images"
          title=${t("camera_photo")}
          about=${t("camera_photo_about")}
        />
      </ul>
      <p>${t(reason(camera, isLive))}</p>
      ${(camera.is_local || !camera.is_https) &&
      html`${camera.missing && html`<p class="note"><${Icon} name="note" />${camera.missing}</p>`}
        <p class="note">${t("camera_command")}</p>
        <div class="command"><${Copyable} label=${t("camera_command")} text=${camera.command} /></div>`}
      ${!camera.is_local && html`<${Invitation} />`}
      ${camera.fingerprint && html`<${Fingerprint} digits=${camera.fingerprint} />`}
    </section>
  `;
}

function reason({ is_local: isLocal, is_https: isHttps }, isLive) {
  if (isHttps) return isLocal ? "camera_https_local" : "camera_https";
  if (isLocal) return "camera_local";
  return isLive ? "camera_http_here" : "camera_http";
}

const Way = ({ is, otherwise, icon, title, about }) => html`
  <li data-is=${is}>
    <${Icon} name=${icon} />
    <div>
      <b>${title}</b>
      <span class="way-state">${t(is ? "camera_at_work" : otherwise)}</span>
      <p class="note">${about}</p>
    </div>
  </li>
`;

/* The address of the studio for another device. It has the token, so that one asks for it. */
function Invitation() {
  const [found, setFound] = useState(null);
  const [problem, setProblem] = useState("");
  const ask = async () => {
    try {
      setFound(await call("/api/ship/invitation", { method: "POST" }));
    } catch (error) {
      if (!(error instanceof Gone)) setProblem(error.message);
    }
  };
  if (!found) {
    return html`
      <button type="button" class="button" onClick=${ask}><${Icon} name="phone" />${t("invite_show")}</button>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
    `;
  }
  return html`
    <div class="invitation">
      <${Qr} src=${found.qr} address=${t("invite_alt")} />
      <p class="problem"><${Icon} name="warning" />${t("invite_who")}</p>
      <div class="command"><${Copyable} label=${t("invite_show")} text=${found.address} /></div>
      <button type="button" class="button" onClick=${() => setFound(null)}>${t("invite_hide")}</button>
    </div>
  `;
}
