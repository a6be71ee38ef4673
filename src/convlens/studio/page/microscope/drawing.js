/* Drawing: the 2-2-2 network with its weights on the lines and its values in the neurons. */

import { html } from "../html.js";
import { t } from "../words.js";
import { digits } from "./numbers.js";

const ROWS = [110, 330];
const COLUMNS = [90, 420, 750]; // inputs, hidden neurons, outputs
const RADIUS = [46, 56, 56];
const NAMES = [
  ["i1", "i2"],
  ["h1", "h2"],
  ["o1", "o2"],
];
const BIAS_ROW = 452;
const NEAR = [0.26, 0.4]; // where on its line the number of a weight stands, of the straight and crossing ones

/* Where the lines begin and end, without the circles. */
function ends(from, to) {
  const [x1, y1, r1] = from;
  const [x2, y2, r2] = to;
  const length = Math.hypot(x2 - x1, y2 - y1);
  const at = (x, y, r) => [x + ((x2 - x1) * r) / length, y + ((y2 - y1) * r) / length];
  const [ax, ay] = at(x1, y1, r1);
  const [bx, by] = at(x2, y2, -r2);
  return { ax, ay, bx, by };
}

const circle = (column, row) => [COLUMNS[column], ROWS[row], RADIUS[column]];

/* The neurons and weights through which a weight reaches the error. */
function wayOf({ layer, source, unit }) {
  const neurons = new Set([`${layer}${source}`, `${layer + 1}${unit}`]);
  const weights = new Set();
  if (layer === 0) {
    for (const output of [0, 1]) {
      neurons.add(`2${output}`);
      weights.add(`w${5 + 2 * output + unit}`);
    }
  }
  return { neurons, weights };
}

export function Drawing({ shown, chosen, choose }) {
  const chain = shown.chains.find(({ name }) => name === chosen);
  const way = wayOf(chain);
  const values = [shown.inputs, ...shown.outputs];
  return html`
    <div class="drawing">
      <svg viewBox="30 40 940 440" role="group" aria-label=${t("network_drawing")}>
        <${Biases} shown=${shown} />
        ${shown.chains.map((one) => html`<${Line} one=${one} chosen=${chosen} way=${way} />`)}
        ${shown.chains.map(
          (one) => html`<${Weight} key=${one.name} one=${one} chosen=${chosen} choose=${choose} />`,
        )}
        ${NAMES.map((names, column) =>
          names.map(
            (name, row) => html`
              <${Neuron}
                name=${name}
                column=${column}
                row=${row}
                value=${values[column][row]}
                sum=${column ? shown.sums[column - 1][row] : null}
                on=${way.neurons.has(`${column}${row}`)}
              />
            `,
          ),
        )}
        ${shown.targets.map((target, row) => html`<${Target} shown=${shown} target=${target} row=${row} />`)}
      </svg>
    </div>
  `;
}

function Line({ one, chosen, way }) {
  const { ax, ay, bx, by } = ends(circle(one.layer, one.source), circle(one.layer + 1, one.unit));
  const width = 1.5 + Math.min(7, 4 * Math.abs(one.before));
  const kind = one.name === chosen ? "chosen" : way.weights.has(one.name) ? "on" : "";
  return html`
    <line
      class="weight-line ${kind}"
      x1=${ax}
      y1=${ay}
      x2=${bx}
      y2=${by}
      stroke-width=${width}
      data-negative=${one.before < 0}
    />
  `;
}

/* The number of a weight, which is a button. */
function Weight({ one, chosen, choose }) {
  const { ax, ay, bx, by } = ends(circle(one.layer, one.source), circle(one.layer + 1, one.unit));
  const share = NEAR[one.source === one.unit ? 1 : 0];
  const x = ax + share * (bx - ax);
  const y = ay + share * (by - ay);
  const act = () => choose(one.name);
  const onKeyDown = (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    act();
  };
  return html`
    <g
      class="weight"
      role="button"
      tabindex="0"
      aria-pressed=${one.name === chosen}
      aria-label="${one.name} = ${digits(one.before)}"
      onClick=${act}
      onKeyDown=${onKeyDown}
    >
      <line class="grip" x1=${ax} y1=${ay} x2=${bx} y2=${by} />
      <rect x=${x - 58} y=${y - 17} width="116" height="34" rx="17" />
      <text x=${x} y=${y + 7}><tspan class="name">${one.name}</tspan> ${digits(one.before, 3)}</text>
    </g>
  `;
}

const Neuron = ({ name, column, row, value, sum, on }) => html`
  <g class="neuron ${on ? "on" : ""}">
    <circle cx=${COLUMNS[column]} cy=${ROWS[row]} r=${RADIUS[column]} />
    <text class="name" x=${COLUMNS[column]} y=${ROWS[row] - 16}>${name}</text>
    <text class="value" x=${COLUMNS[column]} y=${ROWS[row] + 10}>
      ${digits(value, column ? 4 : 2)}
    </text>
    ${sum !== null &&
    html`<text class="sum" x=${COLUMNS[column]} y=${ROWS[row] + 34}>net ${digits(sum, 3)}</text>`}
  </g>
`;

/* What an output should be, and its part of the error. */
const Target = ({ shown, target, row }) => html`
  <g class="target">
    <text x="818" y=${ROWS[row] - 14}>${t("target")} ${digits(target, 2)}</text>
    <text x="818" y=${ROWS[row] + 20}>${`E o${row + 1} = ${digits(shown.terms[row], 4)}`}</text>
  </g>
`;

/* One bias for each layer, on both of its neurons. */
const Biases = ({ shown }) =>
  shown.biases.map((bias, layer) => {
    const x = (COLUMNS[layer] + COLUMNS[layer + 1]) / 2;
    return html`
      <g class="bias">
        ${[0, 1].map((row) => {
          const { ax, ay, bx, by } = ends([x, BIAS_ROW, 20], circle(layer + 1, row));
          return html`<line x1=${ax} y1=${ay} x2=${bx} y2=${by} />`;
        })}
        <rect x=${x - 58} y=${BIAS_ROW - 17} width="116" height="34" rx="6" />
        <text x=${x} y=${BIAS_ROW + 7}><tspan class="name">b${layer + 1}</tspan> ${digits(bias, 3)}</text>
      </g>
    `;
  });
