/* Classes: precision, recall and F1 of each class, with their intervals. */

import { html } from "../html.js";
import { decimal, t } from "../words.js";
import { Interval } from "./versions.js";

const SCORES = ["recall", "precision", "f1"];

export const Classes = ({ rows }) => html`
  <div class="scroll" tabindex="0" role="region" aria-label=${t("scores_classes")}>
    <table class="numbers">
      <thead>
        <tr>
          <th scope="col">${t("scores_class")}</th>
          <th scope="col">${t("scores_images")}</th>
          <th scope="col">${t("scores_predicted_as")}</th>
          ${SCORES.map((one) => html`<th scope="col" title=${t(`scores_${one}_is`)}>${t(`scores_${one}`)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) => html`
            <tr key=${row.name}>
              <th scope="row">${row.name}</th>
              <td>${decimal(row.images)}</td>
              <td>${decimal(row.predicted)}</td>
              ${SCORES.map(
                (one) => html`<td>
                  <b>${row[one].text}</b> <small>${row[one].interval}</small>
                  ${row[one].value !== null && html`<${Interval} score=${row[one]} />`}
                </td>`,
              )}
            </tr>
          `,
        )}
      </tbody>
    </table>
  </div>
`;
