/* Valley: gradient descent in a narrow valley, with steps by hand and a step size that is dragged. */

import { useEffect, useState } from "preact/hooks";
import { connection } from "../api.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { createStore, useStore } from "../store.js";
import { count, t } from "../words.js";
import { createQueue } from "./asking.js";
import { Curve } from "./curve.js";
import { digits, inBrackets } from "./numbers.js";
import { Slider } from "./slider.js";
import { Slope } from "./slope.js";

/* The step sizes of the slider, from fine to coarse: each is some 3 % larger than the one before. */
const SIZES = [...new Set(Array.from({ length: 201 }, (_one, place) => Number((0.005 * 200 ** (place / 200)).toPrecision(2))))];
const NARROW = [4, 10, 25, 50];
const MOMENTA = Array.from({ length: 20 }, (_one, place) => place / 20);
const BEGIN = { steepness: 10, start: [-10, 3], step_size: 0.05, momentum: 0, steps: 0 };
const MOST = 500;

const chosen = createStore(BEGIN); // it stays when one leaves the room
const ask = createQueue("/api/microscope/valley", { latest: true });

export function Valley() {
  const settings = useStore(chosen);
  const { times } = useStore(connection);
  const [way, setWay] = useState(null); // the last answer, and the settings that it is of
  useEffect(() => ask(settings, (said) => setWay({ ...said, of: settings })), [settings, times]);
  if (!way) return html`<p class="waiting" role="status">${t("loading_room")}</p>`;
  const change = (part) => chosen.change(part);
  const taken = way.points.length - 1;
  const most = way.of === settings ? taken : MOST; // fewer than were asked for, if the way is lost
  const go = (steps) => change({ steps: Math.min(MOST, settings.steps + steps) });
  const goBack = () => change({ steps: Math.max(0, Math.min(most, settings.steps) - 1) });
  return html`
    <div class="by-hand">
      <section class="micro-stage" aria-labelledby="valley-title">
        <header>
          <h2 id="valley-title">${t("valley_title")}</h2>
          <p class="note">${t("valley_about", { steepness: way.steepness })}</p>
        </header>
        <${Slope} way=${way} start=${settings.start} setStart=${(start) => change({ start })} />
        <div class="micro-controls">
          <div class="buttons">
            <button type="button" class="button primary" data-counts onClick=${() => go(1)}>
              <${Icon} name="arrow" />${t("one_step")}
            </button>
            <button type="button" class="button" data-counts onClick=${() => go(10)}>${t("ten_steps")}</button>
            <button type="button" class="button" data-counts disabled=${!settings.steps} onClick=${goBack}>
              <${Icon} name="undo" />${t("one_back")}
            </button>
            <button type="button" class="button" onClick=${() => chosen.set(BEGIN)}>
              <${Icon} name="restore" />${t("from_start")}
            </button>
          </div>
          <${StepSize} size=${settings.step_size} limit=${way.limit} choose=${(step_size) => change({ step_size })} />
          <${Slider} label=${t("momentum")} values=${MOMENTA} value=${settings.momentum} choose=${(momentum) => change({ momentum })} />
          <${Slider} label=${t("steepness")} values=${NARROW} value=${settings.steepness} choose=${(steepness) => change({ steepness })} />
        </div>
      </section>
      <aside class="micro-aside">
        <${Verdict} way=${way} />
        <${Next} way=${way} />
        <section class="micro-panel" aria-labelledby="loss-title">
          <h2 id="loss-title">${t("loss_title")}</h2>
          <p class="big-number" role="status">
            <span>L = ${digits(way.losses.at(-1), 4)}</span>
            <small>${count("after_steps", taken)}</small>
          </p>
          <${Curve} values=${way.losses} label=${t("loss_curve")} />
        </section>
      </aside>
    </div>
  `;
}

/* The slider of the step size, with a mark at the limit. */
function StepSize({ size, limit, choose }) {
  const beyond = SIZES.findIndex((one) => one >= limit);
  const share = (beyond < 0 ? SIZES.length - 1 : beyond) / (SIZES.length - 1);
  return html`
    <${Slider} label=${t("step_size")} values=${SIZES} value=${size} choose=${choose} isWide=${true} isBeyond=${size > limit}>
      <i class="limit" aria-hidden="true" style=${{ left: `calc(0.5rem + ${share} * (100% - 1rem))` }}></i>
      <small class="limit-text">${t("step_limit", { n: digits(limit, 3) })}</small>
    <//>
  `;
}

const VERDICT_ICONS = { diverges: "warning", edge: "warning" };

function Verdict({ way }) {
  const fields = {
    along: digits(way.factors[0], 3),
    across: digits(way.factors[1], 3),
    size: way.step_size,
    limit: digits(way.limit, 3),
    steepness: way.steepness,
    momentum: way.momentum,
  };
  return html`
    <section class="micro-panel verdict" data-verdict=${way.verdict} role="status">
      <p><${Icon} name=${VERDICT_ICONS[way.verdict] ?? "note"} />${t(`verdict_${way.verdict}`, fields)}</p>
    </section>
  `;
}

/* The next step in numbers, for x and for y. */
function Next({ way }) {
  const at = way.points.at(-1);
  const { momentum } = way;
  const line = (name, place) => {
    const gradient = inBrackets(way.gradient[place], 3);
    const kept = momentum ? ` + ${momentum} × ${inBrackets(way.velocity[place], 3)}` : "";
    return html`
      <li>
        <b>${name}</b>
        <span>${digits(at[place], 3)} − ${way.step_size} × ${gradient}${kept} = <b>${digits(way.next[place], 3)}</b></span>
      </li>
    `;
  };
  return html`
    <section class="micro-panel" aria-labelledby="next-title">
      <h2 id="next-title">${t("next_step")}</h2>
      ${way.next
        ? html`<ul class="next-step">${line("x", 0)}${line("y", 1)}</ul>`
        : html`<p>${t("next_lost")}</p>`}
    </section>
  `;
}
