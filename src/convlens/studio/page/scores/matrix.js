/* Matrix: the confusion matrix, whose cells open their images.

   The rows are the true classes. The colour of a cell is its share of the row: blue on the diagonal,
   orange beside it. The arrow keys go from cell to cell; a line below says the cell in words. */

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { go, place } from "../place.js";
import { useStore } from "../store.js";
import { count, decimal, percent, t } from "../words.js";

const NUMBERED = 24; // classes up to which the cells show their numbers
const SHARED = 6; // classes up to which they show shares, too

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

export function Matrix({ run, answer }) {
  const { confusion, class_names: names, predictions } = answer;
  const [active, setActive] = useState([0, 0]);
  const [hovered, setHovered] = useState(null);
  const { true: openRow, predicted: openColumn } = useStore(place);
  const table = useRef(null);
  useEffect(() => {
    // The images beside it make the matrix narrower, and what stands above it longer.
    const cell = table.current.querySelector("[aria-selected=true]");
    if (!cell) return;
    table.current.scrollIntoView({ block: "nearest" });
    cell.scrollIntoView({ block: "nearest", inline: "nearest" }); // of a matrix larger than the screen
  }, [openRow, openColumn]);
  const opens = predictions.state === "ready";
  const sums = confusion.map((row) => row.reduce((sum, n) => sum + n, 0));
  const at = (event) => {
    const cell = event.target.closest("td[data-row]");
    return cell && [Number(cell.dataset.row), Number(cell.dataset.column)];
  };
  const open = ([row, column]) => {
    setActive([row, column]);
    if (opens && confusion[row][column]) go("scores", { run, true: row, predicted: column });
  };
  const onKeyDown = (event) => {
    const cell = at(event);
    if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = names.length - 1;
    if (event.key === "Enter" || event.key === " ") open(cell);
    else if (event.key === "Home") focus(event, [cell[0], 0]);
    else if (event.key === "End") focus(event, [cell[0], last]);
    else if (STEPS[event.key]) {
      focus(event, cell.map((one, axis) => Math.max(0, Math.min(last, one + STEPS[event.key][axis]))));
    } else return;
    event.preventDefault();
  };
  const focus = (event, [row, column]) => {
    setActive([row, column]);
    event.currentTarget.querySelector(`[data-row="${row}"][data-column="${column}"]`).focus();
  };
  const [row, column] = hovered ?? active;
  return html`
    <div class="matrix-place" data-many=${names.length > NUMBERED} data-few=${names.length <= SHARED}>
      <div class="scroll">
        <table
          class="matrix"
          role="grid"
          ref=${table}
          aria-label=${t("scores_matrix")}
          aria-describedby="matrix-how"
          onClick=${(event) => at(event) && open(at(event))}
          onKeyDown=${onKeyDown}
          onFocusIn=${(event) => at(event) && setActive(at(event))}
          onMouseOver=${(event) => setHovered(at(event))}
          onMouseLeave=${() => setHovered(null)}
        >
          <thead>
            <tr role="row">
              <th scope="col" class="corner"><span>${t("scores_true")} ↓</span><span>${t("scores_predicted")} →</span></th>
              ${names.map((name) => html`<th scope="col" title=${name}><span>${name}</span></th>`)}
            </tr>
          </thead>
          <tbody>
            ${confusion.map(
              (cells, label) => html`
                <tr role="row" key=${label}>
                  <th scope="row" title=${names[label]}><span>${names[label]}</span></th>
                  ${cells.map((number, other) => {
                    const share = sums[label] ? number / sums[label] : 0;
                    const isActive = active[0] === label && active[1] === other;
                    const isOpen = openRow === String(label) && openColumn === String(other);
                    return html`<td
                      role="gridcell"
                      key=${other}
                      data-row=${label}
                      data-column=${other}
                      data-right=${label === other}
                      data-empty=${number === 0}
                      data-opens=${opens && number > 0}
                      aria-selected=${isOpen}
                      tabindex=${isActive ? 0 : -1}
                      aria-label=${said(names, label, other, number, share)}
                      style=${{ "--share": share }}
                    >${names.length <= NUMBERED && html`<b>${number || "·"}</b>`}${names.length <= SHARED && html`<small>${percent(share)}</small>`}</td>`;
                  })}
                </tr>
              `,
            )}
          </tbody>
        </table>
      </div>
      <p class="reading" aria-hidden="true">
        ${said(names, row, column, confusion[row][column], sums[row] ? confusion[row][column] / sums[row] : 0)}
      </p>
      <p class="note" id="matrix-how">${t(opens ? "scores_matrix_how" : "scores_matrix_look")}</p>
    </div>
  `;
}

function said(names, label, other, number, share) {
  const fields = { label: names[label], predicted: names[other], n: decimal(number), share: percent(share) };
  if (label === other) return t("scores_cell_right", fields);
  return count("scores_cell_wrong", number, fields);
}
