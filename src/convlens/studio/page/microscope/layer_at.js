/* LayerAt: the maps and the filters of a layer at one state of the training. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { place, show } from "../place.js";
import { useStore } from "../store.js";
import { decimal, t } from "../words.js";
import { minus, paintNumbers, plane, unpack } from "./arrays.js";
import { Failed } from "./image.js";
import { digits } from "./numbers.js";
import { Busy } from "./subject.js";
import { stopWork, useStatus, useWork } from "./work.js";

export function LayerAt({ subject, layer, at }) {
  const json = { ...subject, do: "layer", layer: layer.name };
  const { answer, problem, again } = useWork("/api/microscope/time", json);
  const status = useStatus();
  if (problem) return html`<${Failed} problem=${problem} again=${again} />`;
  if (!answer) return html`<${Busy} status=${status} stop=${stopWork} />`;
  return html`<${Layer} layer=${layer} found=${answer} at=${at} />`;
}

function Layer({ layer, found, at }) {
  const [difference, setDifference] = useState(false);
  const [channel, setChannel] = useState(0);
  const maps = useMemo(() => unpack(found.maps), [found]);
  const filters = useMemo(() => found.filters && unpack(found.filters), [found]);
  const { unit: named = "0" } = useStore(place);
  const unit = Math.min(Number(named) || 0, found.units - 1);
  const [, rows, columns, units] = maps.shape;
  const map = (moment, number) =>
    plane(maps, rows, columns, (row, column) => ((moment * rows + row) * columns + column) * units + number);
  const ofFilter = (moment, number) => {
    const [, count, height, width, channels] = filters.shape;
    const begin = (moment * count + number) * height;
    return plane(filters, height, width, (row, column) => ((begin + row) * width + column) * channels + channel);
  };
  const shown = (get, number) => {
    const now = get(at, number);
    if (!difference) return now;
    return minus(now, get(Math.max(0, at - 1), number));
  };
  const isRow = rows === 1 && columns === 1;
  const strip = (get, largest, label) =>
    Array.from({ length: units }, (_unit, number) => {
      const numbers = shown(get, number);
      const name = found.class_names[number] ?? number;
      return html`
        <button
          type="button"
          key=${number}
          class="tile"
          aria-pressed=${number === unit}
          aria-label="${label} ${name}"
          title=${isRow ? null : `${label} ${name}`}
          onClick=${() => show({ unit: number })}
        >
          <${Tile} numbers=${numbers} largest=${largest} />
          <span>${name}${isRow && html`<b>${digits(numbers[0][0], 2)}</b>`}</span>
        </button>
      `;
    });
  const filterChannels = filters ? filters.shape[4] : 0;
  return html`
    <div class="layer-tools">
      <label class="tick-line">
        <input type="checkbox" checked=${difference} onChange=${(event) => setDifference(event.target.checked)} />
        ${t("show_difference")}
      </label>
      <span class="scale-key" aria-hidden="true"><i class="below"></i>− 0 +<i class="above"></i></span>
      ${units < found.units &&
      html`<span class="note">${t("first_of", { n: decimal(units), all: decimal(found.units) })}</span>`}
      ${found.every > 1 && html`<span class="note">${t("every_nth", { n: found.every })}</span>`}
    </div>
    <h3>${t(isRow ? "layer_values" : "layer_maps")}</h3>
    <div class="tiles" data-row=${isRow}>${strip(map, maps.largest, t("layer_unit"))}</div>
    ${filters &&
    html`
      <div class="filter-head">
        <h3>${t("layer_filters")}</h3>
        ${filterChannels > 1 &&
        html`<label class="pick">
          <span>${t("input_channel")}</span>
          <select onChange=${(event) => setChannel(Number(event.target.value))}>
            ${Array.from(
              { length: filterChannels },
              (_one, number) => html`<option value=${number} selected=${number === channel}>${number}</option>`,
            )}
          </select>
        </label>`}
      </div>
      <div class="tiles" data-kind="filters">${strip(ofFilter, filters.largest, t("layer_filter"))}</div>
    `}
  `;
}

function Tile({ numbers, largest }) {
  const canvas = useRef(null);
  useEffect(() => paintNumbers(canvas.current, numbers, largest));
  return html`<canvas ref=${canvas} width=${numbers[0].length} height=${numbers.length}></canvas>`;
}
