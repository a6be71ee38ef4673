/* Valley: gradient descent in a narrow valley, with steps by hand and a step size that is dragged. */

import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { decimal, t } from "../words.js";
import { useQueue } from "./asking.js";
import { Curve } from "./curve.js";
import { digits, inBrackets } from "./numbers.js";
import { Slope } from "./slope.js";

/* The step sizes of the slider, from fine to coarse: each is some 3 % larger than the one before. */
const SIZES = [...new Set(Array.from({ length: 201 }, (_one, place) => Number((0.005 * 200 ** (place / 200)).toPrecision(2))))];
const NARROW = [4, 10, 25, 50];
const BEGIN = { steepness: 10, start: [-10, 3], step_size: 0.05, momentum: 0, steps: 0 };
const MOST = 500;

export function Valley() {
  const [ask] = useQueue("/api/microscope/valley", { latest: true });
  const [settings, setSettings] = useState(BEGIN);
  const [way, setWay] = useState(null);
  useEffect(() => ask(settings, setWay), [settings]);
  if (!way) return html`<p class="waiting" role="status">${t("loading_room")}</p>`;
  const change = (part) => setSettings((now) => ({ ...now, ...part }));
  const go = (count) =>
    setSettings((now) => ({ ...now, steps: Math.max(0, Math.min(MOST, now.steps + count)) }));
  const taken = way.points.length - 1;
  return html`
    <div class="by-hand">
      <section class="micro-stage" aria-labelledby="valley-title">
        <header>
          <h2 id="valley-title">${t("valley_title")}</h2>
          <p class="note">${t("valley_about", { steepness: way.steepness })}</p>
        </header>
        <${Slope} way=${way} setStart=${(start) => change({ start })} />
        <div class="micro-controls">
          <div class="buttons">
            <button type="button" class="button primary" onClick=${() => go(1)}>
              <${Icon} name="arrow" />${t("one_step")}
            </button>
            <button type="button" class="button" onClick=${() => go(10)}>${t("ten_steps")}</button>
            <button type="button" class="button" disabled=${!settings.steps} onClick=${() => setSettings((now) => ({ ...now, steps: Math.max(0, Math.min(taken, now.steps) - 1) }))}>
              <${Icon} name="undo" />${t("one_back")}
            </button>
            <button type="button" class="button" onClick=${() => setSettings(BEGIN)}>
              <${Icon} name="restore" />${t("from_start")}
            </button>
          </div>
          <${StepSize} size=${settings.step_size} limit=${way.limit} choose=${(step_size) => change({ step_size })} />
          <label class="slider">
            <span>${t("momentum")} <b>${settings.momentum}</b></span>
            <input
              type="range"
              min="0"
              max="0.95"
              step="0.05"
              value=${settings.momentum}
              onInput=${(event) => change({ momentum: Number(event.target.value) })}
            />
          </label>
          <label class="slider">
            <span>${t("steepness")} <b>${settings.steepness}</b></span>
            <input
              type="range"
              min="0"
              max=${NARROW.length - 1}
              step="1"
              value=${NARROW.indexOf(settings.steepness)}
              aria-valuetext=${settings.steepness}
              onInput=${(event) => change({ steepness: NARROW[Number(event.target.value)] })}
            />
          </label>
        </div>
      </section>
      <aside class="micro-aside">
        <${Verdict} way=${way} />
        <${Next} way=${way} />
        <section class="micro-panel" aria-labelledby="loss-title">
          <h2 id="loss-title">${t("loss_title")}</h2>
          <p class="big-number" role="status">
            <span>L = ${digits(way.losses.at(-1), 4)}</span>
            <small>${t(taken === 1 ? "after_steps_one" : "after_steps_many", { n: decimal(taken) })}</small>
          </p>
          <${Curve} values=${way.losses} label=${t("loss_curve")} />
        </section>
      </aside>
    </div>
  `;
}

/* The slider of the step size, with a mark at the limit. */
function StepSize({ size, limit, choose }) {
  const place = SIZES.indexOf(size);
  const beyond = SIZES.findIndex((one) => one >= limit);
  const share = (beyond < 0 ? SIZES.length - 1 : beyond) / (SIZES.length - 1);
  return html`
    <label class="slider wide" data-beyond=${size > limit}>
      <span>${t("step_size")} <b>${size}</b></span>
      <input
        type="range"
        min="0"
        max=${SIZES.length - 1}
        step="1"
        value=${place}
        aria-valuetext=${size}
        onInput=${(event) => choose(SIZES[Number(event.target.value)])}
      />
      <i class="limit" aria-hidden="true" style=${{ left: `calc(0.5rem + ${share} * (100% - 1rem))` }}></i>
      <small class="limit-text">${t("step_limit", { n: digits(limit, 3) })}</small>
    </label>
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
