/* Choices: what one chooses between, and what will happen then, in words and minutes. */

import { useEffect, useId, useLayoutEffect, useState } from "preact/hooks";
import { call, connection, Gone } from "../api.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { oneByOne, onProgress, project } from "../project.js";
import { go } from "../place.js";
import { sayError } from "../say.js";
import { createStore, kept, keep, useStore } from "../store.js";
import { count, decimal, language, megabytes, t } from "../words.js";
import { Enough, spent } from "./enough.js";
import { Plan } from "./plan.js";
import { useOnce } from "../parts.js";
import { act } from "./trainings.js";

const WAYS = ["budget", "head", "tune", "small", "fast"];
const SCRATCH = "fast"; // from scratch, it was more accurate in less time (docs/decisions/fast.md)
const EPOCHS = { tune: 5, small: 15, fast: 10 };
const MINUTES = [1, 3, 10, 30];

const choice = createStore(read());

/* Return what this browser has chosen last; nothing if it has not. */
function read() {
  try {
    const found = JSON.parse(kept("training"));
    return WAYS.includes(found?.way) ? found : null;
  } catch {
    return null;
  }
}

function choose(part) {
  const next = { ...choice.get(), ...part };
  choice.set(next);
  keep("training", JSON.stringify(next));
}

/* Return the way that suits the images: a network that knows photographs, if they are like these. */
const suitable = ({ unlike }) => (unlike ? SCRATCH : "head");

/* Return what is asked of the server for a choice. */
function requestOf({ way, seconds, epochs, snapshots }) {
  if (way === "budget") return { way, seconds: seconds ?? 180 };
  if (!EPOCHS[way]) return { way };
  return { way, epochs: epochs?.[way] ?? EPOCHS[way], snapshots: snapshots ?? 0 };
}

export function Chosen({ state, onStarted }) {
  const { total } = useStore(project);
  const chosen = useStore(choice) ?? { way: state.lacking ? SCRATCH : suitable(state) };
  const [plan, problem] = usePlan(chosen, state);
  const start = useOnce(async () => {
    const answer = await act("", { json: requestOf(chosen) });
    if (answer) onStarted(answer.training.run);
  });
  if (!total || state.missing) return html`<${Nothing} missing=${state.missing} />`;
  const waits = state.trainings.some((one) => ["running", "waiting"].includes(one.state));
  return html`
    <section aria-labelledby="choices-title">
      <h2 id="choices-title">${t("train_how")}</h2>
      <div class="ways-of-training" role="radiogroup" aria-labelledby="choices-title">
        ${WAYS.map((way) => html`<${Way} key=${way} way=${way} chosen=${chosen} suits=${way === suitable(state)} />`)}
      </div>
      ${chosen.way === "budget" &&
      html`<${Budget} seconds=${chosen.seconds ?? 180} needed=${plan?.plan.needed} />`}
      ${EPOCHS[chosen.way] && html`<${Epochs} way=${chosen.way} epochs=${chosen.epochs} />`}
      <${Further} way=${chosen.way} number=${chosen.snapshots ?? 0} plan=${plan?.plan} />
    </section>
    <${Plan} request=${requestOf(chosen)} answer=${plan} problem=${problem} state=${state} />
    <div class="start-bar">
      <button type="button" class="button primary start-training" onClick=${start}>
        <${Icon} name=${waits ? "plus" : "play"} />${t(waits ? "train_queue" : "train_start")}
      </button>
      ${waits && html`<p class="note">${t("train_one_at_a_time")}</p>`}
    </div>
  `;
}

/* Why nothing can be trained, and where that is put right. */
const Nothing = ({ missing }) => html`
  <section>
    <h2>${t("train_how")}</h2>
    <p class="note cannot"><${Icon} name="note" />${missing || t("train_no_images")}</p>
    <button type="button" class="button" onClick=${() => go("images")}>
      <${Icon} name="images" />${t("train_to_images")}
    </button>
  </section>
`;

function Way({ way, chosen, suits }) {
  const id = useId();
  const isChosen = chosen.way === way;
  return html`
    <label class="way-of-training" data-chosen=${isChosen} for=${id}>
      <input
        id=${id}
        type="radio"
        name="way"
        data-way=${way}
        checked=${isChosen}
        onChange=${() => choose({ way })}
        aria-describedby="${id}-text"
      />
      <b>${t(`way_${way}`)}${suits && html`<span class="suits">${t("train_suits")}</span>`}</b>
      <span id="${id}-text">${t(`way_${way}_text`)}</span>
    </label>
  `;
}

/* The time budget; one that is too short is said at its field, with one that is long enough. */
function Budget({ seconds, needed }) {
  const minutes = seconds / 60;
  const [taken, setTaken] = useState(0); // times that a button was used, which forgets what is typed
  const isShort = needed && seconds < needed.seconds;
  const take = (chosen) => {
    choose({ way: "budget", seconds: chosen });
    setTaken(taken + 1);
  };
  return html`
    <fieldset class="numbers">
      <legend>${t("train_minutes")}</legend>
      <div class="buttons">
        ${MINUTES.map(
          (one) => html`
            <button
              type="button"
              class="button"
              aria-pressed=${one === minutes}
              onClick=${() => take(60 * one)}
            >
              ${decimal(one)}
            </button>
          `,
        )}
        <${Number_}
          key=${taken}
          label=${t("train_own_minutes")}
          value=${minutes}
          least=${0.5}
          most=${1440}
          step=${0.5}
          onValue=${(value) => choose({ way: "budget", seconds: Math.round(60 * value) })}
        />
      </div>
      ${isShort &&
      html`
        <p class="problem" role="alert">${t("budget_short", spent(needed))}</p>
        <${Enough} needed=${needed} onTake=${take} />
      `}
    </fieldset>
  `;
}

const Epochs = ({ way, epochs = {} }) => html`
  <div class="numbers">
    <${Number_}
      label=${t("train_epochs")}
      value=${epochs[way] ?? EPOCHS[way]}
      least=${1}
      most=${1000}
      step=${1}
      onValue=${(value) => choose({ way, epochs: { ...epochs, [way]: Math.round(value) } })}
    />
  </div>
`;

/* What few people need. */
function Further({ way, number, plan }) {
  const [isOpen, setOpen] = useState(number > 0);
  return html`
    <details class="further" open=${isOpen} onToggle=${(event) => setOpen(event.target.open)}>
      <summary>${t("train_further")}</summary>
      ${EPOCHS[way]
        ? html`<${Snapshots} number=${number} kept=${plan?.snapshots} />`
        : html`<p class="note">${t(`train_no_states_${way}`)}</p>`}
    </details>
  `;
}

/* How many states are kept for the time machine, and what they take on the disk. */
function Snapshots({ number, kept }) {
  const { states, bytes, free } = kept ?? {};
  return html`
    <${Number_}
      label=${t("train_snapshots")}
      value=${number}
      least=${0}
      most=${1000}
      step=${1}
      onValue=${(value) => choose({ snapshots: Math.round(value) })}
    />
    <p class="note">${t("train_snapshots_about")}</p>
    ${number > 0 && bytes && html`<p role="status">${count("train_snapshots_size", states, { size: megabytes(bytes) })}</p>`}
    ${number > 0 &&
    bytes > free &&
    html`<p class="problem" role="alert">${t("train_snapshots_free", { free: megabytes(free) })}</p>`}
  `;
}

/* A number that somebody types; a wrong one is said beside it and changes nothing. What is typed
   stays while the page is drawn again, as it is when a plan makes progress. */
function Number_({ label, value, least, most, step, onValue }) {
  const id = useId();
  const [typed, setTyped] = useState(null);
  const [problem, setProblem] = useState("");
  // Before the page is painted: an effect that follows later would take away what was typed meanwhile.
  useLayoutEffect(() => {
    setTyped(null);
    setProblem("");
  }, [value]);
  const take = (event) => {
    const number = event.target.valueAsNumber;
    const isRight = number >= least && number <= most;
    setProblem(isRight ? "" : t("train_number", { least: decimal(least), most: decimal(most) }));
    if (!isRight) return;
    setTyped(null);
    onValue(number);
  };
  return html`
    <span class="number-field">
      <label for=${id}>${label}</label>
      <input
        id=${id}
        type="number"
        min=${least}
        max=${most}
        step=${step}
        value=${typed ?? value}
        onInput=${(event) => setTyped(event.target.value)}
        aria-invalid=${problem ? "true" : "false"}
        aria-describedby=${problem ? `${id}-problem` : null}
        onChange=${take}
      />
      ${problem && html`<span class="problem" id="${id}-problem" role="alert">${problem}</span>`}
    </span>
  `;
}

/* Return what will happen, and why that is not known. It is found out a moment after the last
   change, and again after the images have changed or the server has come back. */
function usePlan(chosen, state) {
  const { version } = useStore(project);
  const [answer, setAnswer] = useState(null);
  const [problem, setProblem] = useState("");
  const { times } = useStore(connection);
  const words = language.get();
  const request = requestOf(chosen);
  const key = JSON.stringify([request, version, words, state.missing, times]);
  useEffect(() => {
    let isShown = !state.missing;
    let isDone = false;
    let begin = false;
    const ask = oneByOne(async () => {
      if (!isShown || isDone) return;
      const json = { ...request, begin, again: !begin };
      begin = false;
      try {
        const found = await call("/api/trainings/plan", { json });
        if (!isShown) return;
        isDone = !["running", "none", "later"].includes(found.plan.state);
        setProblem("");
        setAnswer({ key, ...found });
      } catch (error) {
        if (!isShown || error instanceof Gone) return;
        if (error.field) setProblem(error.message);
        else sayError(error);
      }
    });
    const timer = setTimeout(() => {
      begin = true;
      ask();
    }, 400);
    const leave = onProgress(ask);
    return () => {
      isShown = false;
      clearTimeout(timer);
      leave();
    };
  }, [key]);
  return [answer?.key === key ? answer : { plan: { state: "running" } }, problem];
}
