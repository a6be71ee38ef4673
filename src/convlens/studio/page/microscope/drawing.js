/* Drawing: the 2-2-2 network with its weights on the lines and its values in the neurons. */

import { html } from "../html.js";
import { useMedia } from "../media.js";
import { t } from "../words.js";
import { digits } from "./numbers.js";

const ALONG = [90, 420, 750]; // where the inputs, the hidden neurons and the outputs stand
const ACROSS = [110, 330]; // the first and the second of each
const BIASES = 452; // beside them
const MIDDLE = [255, 585];
const RADIUS = [46, 56, 56];
const NAMES = [
  ["i1", "i2"],
  ["h1", "h2"],
  ["o1", "o2"],
];
/* From left to right, or from top to bottom where the screen is narrow; `near` is where on its line
   the number of a weight stands, for the crossing and the straight ones. */
const WIDE = {
  view: "30 40 940 440",
  near: [0.26, 0.4],
  at: (layer, unit) => [ALONG[layer], ACROSS[unit]],
  bias: (layer) => [MIDDLE[layer], BIASES],
  target: (unit) => [818, ACROSS[unit]],
};
const TALL = {
  view: "30 40 490 840",
  near: [0.12, 0.55],
  at: (layer, unit) => [ACROSS[unit], ALONG[layer]],
  bias: (layer) => [BIASES, MIDDLE[layer]],
  target: (unit) => [ACROSS[unit], 844],
};

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

const circle = (shape, layer, unit) => [...shape.at(layer, unit), RADIUS[layer]];

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
  const isNarrow = useMedia("(max-width: 600px)");
  const shape = isNarrow ? TALL : WIDE;
  return html`
    <div class="drawing" data-tall=${isNarrow}>
      <svg viewBox=${shape.view} role="group" aria-label=${t("network_drawing")}>
        <${Biases} shape=${shape} shown=${shown} />
        ${shown.chains.map((one) => html`<${Line} shape=${shape} one=${one} chosen=${chosen} way=${way} />`)}
        ${shown.chains.map(
          (one) => html`<${Weight} key=${one.name} shape=${shape} one=${one} chosen=${chosen} choose=${choose} />`,
        )}
        ${NAMES.map((names, layer) =>
          names.map(
            (name, unit) => html`
              <${Neuron}
                at=${circle(shape, layer, unit)}
                name=${name}
                value=${digits(values[layer][unit], layer ? 4 : 2)}
                sum=${layer ? digits(shown.sums[layer - 1][unit], 3) : null}
                on=${way.neurons.has(`${layer}${unit}`)}
              />
            `,
          ),
        )}
        ${shown.targets.map(
          (target, unit) => html`<${Target} at=${shape.target(unit)} unit=${unit} target=${target} term=${shown.terms[unit]} />`,
        )}
      </svg>
    </div>
  `;
}

/* The line of a weight. */
const lineOf = (shape, { layer, source, unit }) =>
  ends(circle(shape, layer, source), circle(shape, layer + 1, unit));

function Line({ shape, one, chosen, way }) {
  const { ax, ay, bx, by } = lineOf(shape, one);
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
function Weight({ shape, one, chosen, choose }) {
  const { ax, ay, bx, by } = lineOf(shape, one);
  const share = shape.near[one.source === one.unit ? 1 : 0];
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

const Neuron = ({ at: [x, y, radius], name, value, sum, on }) => html`
  <g class="neuron ${on ? "on" : ""}">
    <circle cx=${x} cy=${y} r=${radius} />
    <text class="name" x=${x} y=${y - 16}>${name}</text>
    <text class="value" x=${x} y=${y + 10}>${value}</text>
    ${sum !== null && html`<text class="sum" x=${x} y=${y + 34}>net ${sum}</text>`}
  </g>
`;

/* What an output should be, and its part of the error. */
const Target = ({ at: [x, y], unit, target, term }) => html`
  <g class="target">
    <text x=${x} y=${y - 14}>${t("target")} ${digits(target, 2)}</text>
    <text x=${x} y=${y + 20}>${`E o${unit + 1} = ${digits(term, 4)}`}</text>
  </g>
`;

/* One bias for each layer, on both of its neurons. */
const Biases = ({ shape, shown }) =>
  shown.biases.map((bias, layer) => {
    const [x, y] = shape.bias(layer);
    return html`
      <g class="bias">
        ${[0, 1].map((unit) => {
          const { ax, ay, bx, by } = ends([x, y, 20], circle(shape, layer + 1, unit));
          return html`<line x1=${ax} y1=${ay} x2=${bx} y2=${by} />`;
        })}
        <rect x=${x - 58} y=${y - 17} width="116" height="34" rx="6" />
        <text x=${x} y=${y + 7}><tspan class="name">b${layer + 1}</tspan> ${digits(bias, 3)}</text>
      </g>
    `;
  });
