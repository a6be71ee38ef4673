/* Refused: the files that the server did not take, each with its name and the reason. */

import { html } from "../html.js";

export const RefusedNames = ({ refused, most }) => html`
  <ul>
    ${refused.slice(0, most).map(
      ({ name, message }) => html`<li><b>${name}</b> ${withoutName(message, name)}</li>`,
    )}
  </ul>
`;

/* Return a message that begins with the name of a file without this name, which stands beside it. */
function withoutName(message, name) {
  const last = name.split("/").at(-1);
  const rest = message.startsWith(last) ? message.slice(last.length).match(/^[:：]\s*(.*)$/s) : null;
  return rest ? rest[1].charAt(0).toUpperCase() + rest[1].slice(1) : message;
}
