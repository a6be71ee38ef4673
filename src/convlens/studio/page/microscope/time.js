/* Time: the states of a training, and an image's way through them to its class. */

import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { place, show } from "../place.js";
import { useStore } from "../store.js";
import { decimal, t } from "../words.js";
import { Failed } from "./image.js";
import { LayerAt } from "./layer_at.js";
import { digits } from "./numbers.js";
import { Shares } from "./shares.js";
import { Busy, missing, Subject, useSubject } from "./subject.js";
import { WeightAt } from "./weight_at.js";
import { stopWork, useStatus, useWork } from "./work.js";

const PAUSE = 900; // milliseconds between two states that are played
const STILL = 300; // milliseconds after which a state is written into the address

export function Time() {
  const subject = useSubject({ states: true });
  const { ready, run, image } = subject;
  const lacks = missing(subject);
  const json = lacks ? null : { run: run.name, image: image.id, do: "way" };
  const { answer, problem, again } = useWork("/api/microscope/time", json);
  const status = useStatus();
  const lead = html`
    <h2>${t("time_title")}</h2>
    <p class="note">${t("time_about")}</p>
  `;
  return html`
    <div class="looking">
      ${ready && html`<${Subject} ready=${ready} run=${run} image=${image} lead=${lead} />`}
      <section class="looked-at" aria-label=${t("micro_time")}>
        ${lacks ??
        (problem
          ? html`<${Failed} problem=${problem} again=${again} />`
          : answer
            ? html`<${Way} key=${json.run + json.image} subject=${json} way=${answer} />`
            : html`<${Busy} status=${status} stop=${stopWork} />`)}
      </section>
    </div>
  `;
}

/* What a state is called: the start, a step, or the end of an epoch. */
export function nameOf({ step, epoch, step_of_epoch: inEpoch }) {
  if (step === 0) return t("moment_start");
  if (inEpoch === 0) return t("moment_epoch", { n: decimal(epoch) });
  return t("moment_step", { n: decimal(step) });
}

function Way({ subject, way }) {
  const last = way.moments.length - 1;
  const { layer: named, moment } = useStore(place);
  const [at, setAt] = useState(Math.min(last, Number(moment ?? last) || 0));
  const learning = way.layers.filter(({ learns }) => learns);
  useEffect(() => {
    // Browsers refuse an address that changes as fast as a hand.
    const timer = setTimeout(() => show({ moment: at === last ? null : String(at) }), STILL);
    return () => clearTimeout(timer);
  }, [at]);
  const layer = way.layers.find(({ name }) => name === named) ?? learning[0] ?? way.layers[0];
  return html`
    <div class="machine">
      <${Slider} moments=${way.moments} count=${way.count} at=${at} setAt=${setAt} />
      <${Shares} way=${way} at=${at} setAt=${setAt} />
      <section class="micro-panel" aria-labelledby="layer-title">
        <header>
          <h2 id="layer-title">${t("layer_title")}</h2>
          <label class="pick">
            <span class="hidden">${t("choose_layer")}</span>
            <select onChange=${(event) => show({ layer: event.target.value })}>
              ${way.layers.map(
                ({ name, kind, shape }) => html`
                  <option value=${name} selected=${name === layer.name}>
                    ${name} · ${kind} · ${shape.join(" × ")}
                  </option>
                `,
              )}
            </select>
          </label>
        </header>
        <${LayerAt} key=${layer.name} subject=${subject} layer=${layer} at=${at} />
      </section>
      ${layer.learns &&
      html`<${WeightAt} key=${layer.name} subject=${subject} layer=${layer} at=${at} moments=${way.moments} />`}
    </div>
  `;
}

/* The slider over the states, with a button that plays them. */
function Slider({ moments, count, at, setAt }) {
  const [plays, setPlays] = useState(false);
  const last = moments.length - 1;
  useEffect(() => {
    if (!plays) return undefined;
    const timer = setTimeout(() => {
      setAt(at + 1);
      if (at + 1 >= last) setPlays(false);
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [plays, at]);
  const play = () => {
    if (!plays && at === last) setAt(0);
    setPlays(!plays);
  };
  const now = moments[at];
  return html`
    <section class="micro-panel time-slider" aria-label=${t("micro_time")}>
      <div class="time-row">
        <button type="button" class="button" aria-pressed=${plays} onClick=${play}>
          <${Icon} name=${plays ? "close" : "arrow"} />${t(plays ? "pause" : "play")}
        </button>
        <label class="slider">
          <span class="hidden">${t("moment")}</span>
          <input
            type="range"
            min="0"
            max=${last}
            step="1"
            value=${at}
            aria-valuetext=${nameOf(now)}
            onInput=${(event) => {
              setPlays(false);
              setAt(Number(event.target.value));
            }}
          />
        </label>
      </div>
      <p class="moment" role="status">
        <b>${nameOf(now)}</b>
        ${now.is_best && html`<span class="best"><${Icon} name="check" />${t("moment_best")}</span>`}
        <span class="note">${factsOf(now)}</span>
      </p>
      ${count > moments.length &&
      html`<p class="note">${t("states_shown", { n: decimal(moments.length), all: decimal(count) })}</p>`}
    </section>
  `;
}

function factsOf({ step, learning_rate: rate, loss, val_accuracy: accuracy }) {
  const facts = [t("fact_steps", { n: decimal(step) }), t("fact_rate", { n: digits(rate, 5) })];
  if (loss !== null) facts.push(t("fact_loss", { n: digits(loss, 3) }));
  if (accuracy !== null) facts.push(t("fact_accuracy", { n: digits(100 * accuracy, 1) }));
  return facts.join(" · ");
}
