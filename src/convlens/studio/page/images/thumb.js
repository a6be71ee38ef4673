/* Thumb: a small image, or a sign if its file cannot be read. */

import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { Icon } from "../icons.js";

export function Thumb({ src, alt = "", sign = html`<${Icon} name="unreadable" />` }) {
  const [broken, setBroken] = useState("");
  useEffect(() => setBroken(""), [src]);
  if (broken === src) return sign;
  return html`<img key=${src} src=${src} alt=${alt} decoding="async" onError=${() => setBroken(src)} />`;
}
