/* Curves: loss and accuracy after each epoch, for the images it learns from and for others. */

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "./html.js";
import { decimal, fixed, percent, t } from "./words.js";

const HEIGHT = 230;
const EDGE = { left: 46, right: 14, top: 12, bottom: 40 };
const SERIES = { train: "", val: "val_" };

/* Draw the epochs that are done, of those that were asked for; the best one is marked if it is known. */
export function Curves({ history, asked, best = null }) {
  if (!history.length) return null;
  const epochs = Math.max(asked || 0, history.at(-1).epoch);
  return html`
    <div class="curves">
      <${Curve} name="accuracy" history=${history} epochs=${epochs} best=${best} isShare />
      <${Curve} name="loss" history=${history} epochs=${epochs} best=${best} />
    </div>
    <details class="table-of-epochs">
      <summary>${t("curve_table")}</summary>
      <div class="scroll" tabindex="0" role="region" aria-label=${t("curve_table")}>
        <${Table} history=${history} />
      </div>
    </details>
  `;
}

/* Return the width of an element, which the chart fills. */
function useWidth(element) {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const watch = new ResizeObserver(([{ contentRect }]) => setWidth(Math.round(contentRect.width)));
    watch.observe(element.current);
    return () => watch.disconnect();
  }, []);
  return width;
}

function Curve({ name, history, epochs, best, isShare = false }) {
  const element = useRef(null);
  const width = useWidth(element);
  const lines = Object.entries(SERIES)
    .map(([key, prefix]) => ({
      key,
      points: history.map((row) => [row.epoch, row[prefix + name]]).filter(([, y]) => Number.isFinite(y)),
    }))
    .filter(({ points }) => points.length);
  return html`
    <figure class="curve">
      <figcaption>
        <h3>${t(`curve_${name}`)}</h3>
        ${lines.map(
          ({ key, points }) => html`
            <span class="key" data-line=${key}>
              <svg width="26" height="10" aria-hidden="true"><path d="M1 5H25" /></svg>
              ${t(`curve_${key}`)} <b>${written(points.at(-1)[1], isShare)}</b>
            </span>
          `,
        )}
        ${best && html`<span class="key best">${t("curve_best", { n: decimal(best) })}</span>`}
      </figcaption>
      <div class="plot" ref=${element}>
        ${width > 0 &&
        html`<${Plot} name=${name} lines=${lines} epochs=${epochs} best=${best} width=${width} isShare=${isShare} />`}
      </div>
    </figure>
  `;
}

function Plot({ name, lines, epochs, best, width, isShare }) {
  const values = lines.flatMap(({ points }) => points.map(([, y]) => y));
  const [low, high] = isShare ? [Math.min(0.99, ...values), 1] : [0, Math.max(1e-9, ...values)];
  const ticks = steps(low, high, 4);
  const least = Math.min(low, ticks[0]);
  const most = isShare ? 1 : Math.max(high, ticks.at(-1));
  const x = (epoch) =>
    EDGE.left + ((width - EDGE.left - EDGE.right) * (epoch - 1)) / Math.max(1, epochs - 1);
  const y = (value) =>
    HEIGHT - EDGE.bottom - ((HEIGHT - EDGE.top - EDGE.bottom) * (value - least)) / (most - least);
  const marks = steps(1, epochs, Math.max(2, Math.floor(width / 90))).filter(
    (one) => Number.isInteger(one) && one >= 1 && one <= epochs,
  );
  return html`
    <svg
      width=${width}
      height=${HEIGHT}
      viewBox="0 0 ${width} ${HEIGHT}"
      role="img"
      aria-label=${spoken(name, lines, isShare)}
    >
      ${ticks.map(
        (one) => html`
          <g class="tick-y">
            <line x1=${EDGE.left} x2=${width - EDGE.right} y1=${y(one)} y2=${y(one)} />
            <text x=${EDGE.left - 7} y=${y(one)} dy="0.35em">${written(one, isShare, true)}</text>
          </g>
        `,
      )}
      ${(marks.includes(1) ? marks : [1, ...marks]).map(
        (one) => html`<text class="tick-x" x=${x(one)} y=${HEIGHT - EDGE.bottom + 17}>${decimal(one)}</text>`,
      )}
      ${best && html`<line class="best" x1=${x(best)} x2=${x(best)} y1=${y(least)} y2=${y(most)} />`}
      <text class="axis" x=${(EDGE.left + width - EDGE.right) / 2} y=${HEIGHT - 5}>${t("curve_epoch")}</text>
      ${lines.map(({ key, points }) => {
        const path = points.map(([epoch, value]) => `${x(epoch).toFixed(1)},${y(value).toFixed(1)}`);
        const [epoch, value] = points.at(-1);
        return html`
          <g class="line" data-line=${key}>
            <polyline points=${path.join(" ")} />
            <circle cx=${x(epoch)} cy=${y(value)} r="4.5" />
          </g>
        `;
      })}
    </svg>
  `;
}

/* Return round numbers between two bounds. */
function steps(low, high, wanted) {
  const rough = Math.max(high - low, 1e-9) / wanted;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = size * [1, 2, 5, 10].find((one) => one * size >= rough * 0.999);
  const found = [];
  for (let one = Math.ceil(low / step - 1e-9); one * step <= high + 1e-9; one++) {
    found.push(Number((one * step).toPrecision(12)));
  }
  return found.length > 1 ? found : [low, high];
}

/* Return a number as the axis or the legend has it. */
function written(value, isShare, isShort = false) {
  if (isShare) return percent(value, isShort && Number.isInteger(Math.round(1e4 * value) / 100) ? 0 : 1);
  return isShort ? decimal(value) : fixed(value, 3);
}

function spoken(name, lines, isShare) {
  const said = lines.map(({ key, points }) =>
    t("curve_spoken", {
      line: t(`curve_${key}`),
      value: written(points.at(-1)[1], isShare),
      epoch: decimal(points.at(-1)[0]),
    }),
  );
  return `${t(`curve_${name}`)}. ${said.join(" ")}`;
}

const COLUMNS = [
  ["accuracy", true],
  ["val_accuracy", true],
  ["loss", false],
  ["val_loss", false],
];

const Table = ({ history }) => html`
  <table>
    <thead>
      <tr>
        <th scope="col">${t("curve_epoch")}</th>
        ${COLUMNS.map(([name]) => html`<th scope="col">${t(`column_${name}`)}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${history.map(
        (row) => html`
          <tr key=${row.epoch}>
            <th scope="row">${decimal(row.epoch)}</th>
            ${COLUMNS.map(
              ([name, isShare]) => html`<td>${Number.isFinite(row[name]) ? written(row[name], isShare) : "–"}</td>`,
            )}
          </tr>
        `,
      )}
    </tbody>
  </table>
`;
