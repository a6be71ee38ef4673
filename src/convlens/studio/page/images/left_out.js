/* Left out: the files of an import that are no images, or that are hidden or of the system. */

import { html } from "../html.js";
import { count, listed } from "../words.js";

const NAMED = 5; // files in a sentence

/* Return what an import has left out with what an answer to a file or to a zip adds. */
export function withLeftOut(now, { kept = true, left_out: leftOut = {}, hidden = [] }) {
  const one = kept || hidden.length ? 0 : 1;
  const more = Object.values(leftOut).reduce((sum, number) => sum + number, one);
  return { leftOut: now.leftOut + more, hidden: [...now.hidden, ...hidden] };
}

export const LeftOut = ({ now: { leftOut, hidden } }) => html`
  ${hidden.length > 0 &&
  html`<p class="note">${count("import_hidden", hidden.length, { names: listed(hidden.slice(0, NAMED)) })}</p>`}
  ${leftOut > 0 && html`<p class="note">${count("import_left_out", leftOut)}</p>`}
`;
