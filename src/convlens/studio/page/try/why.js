/* Why: the map of the image with the checks that allow to draw it, as `convlens explain` says. */

import { useEffect, useState } from "preact/hooks";
import { call, Gone } from "../api.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { useStore } from "../store.js";
import { decimal, fixed, language, t } from "../words.js";
import { tried } from "./live.js";

const PAUSE = 300; // milliseconds without another image, before the server is asked
const RETRY = 3000; // milliseconds until it is asked again after what may be over by then
const PASSING = [429, 503]; // too many questions; the process has ended

/* Ask the server about a still image; again when it, the question or the language is another one.

   Return the answer, what is wrong, and whether it is awaited. */
export function useAnswer(path, image, fields) {
  const [found, setFound] = useState({ answer: null, problem: "", waiting: true });
  const { run } = tried.get();
  const words = language.get();
  const asked = new URLSearchParams({ run, name: image.name, ...fields }).toString();
  useEffect(() => {
    const stop = new AbortController();
    setFound((before) => ({ ...before, waiting: true, problem: "" }));
    const ask = async () => {
      try {
        const answer = await call(`${path}?${asked}`, { body: image.blob, signal: stop.signal });
        setFound({ answer, problem: "", waiting: false });
      } catch (error) {
        if (error.name === "AbortError") return;
        const isGone = error instanceof Gone;
        const passes = isGone || PASSING.includes(error.status) || error.field === "other";
        setFound({ answer: null, problem: isGone ? t("not_done_gone") : error.message, waiting: passes });
        if (passes) timer = setTimeout(ask, RETRY);
      }
    };
    let timer = setTimeout(ask, PAUSE);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [image.blob, asked, words]);
  return found;
}

/* That an answer is awaited, with how far it is. */
export function Awaited({ text }) {
  const { status } = useStore(tried);
  const progress = status?.progress;
  const fields = progress && { ...progress, done: decimal(progress.done), total: decimal(progress.total) };
  return html`
    <div class="awaited">
      <p role="status"><i class="spinner"></i>${text}</p>
      ${progress &&
      html`<label class="note">
        ${t("try_progress", fields)}
        <progress value=${progress.done} max=${progress.total}></progress>
      </label>`}
    </div>
  `;
}

export function Why({ image }) {
  const { status } = useStore(tried);
  const names = status?.class_names ?? [];
  const [asked, setAsked] = useState({ class: "", against: "" });
  const { answer, problem, waiting } = useAnswer("/api/try/why", image, asked);
  return html`
    <section class="why" aria-label=${t("try_why")} aria-busy=${waiting}>
      <header>
        <h2>${t("try_why")}</h2>
        <${Question} names=${names} asked=${asked} setAsked=${setAsked} />
      </header>
      ${waiting && html`<${Awaited} text=${t("try_why_waits")} />`}
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      ${answer && html`<${Explanation} one=${answer} />`}
    </section>
  `;
}

function Question({ names, asked, setAsked }) {
  const choice = (field, label, none) => html`
    <label>
      ${label}
      <select value=${asked[field]} onChange=${(event) => setAsked({ ...asked, [field]: event.target.value })}>
        <option value="">${none}</option>
        ${names.map((name) => html`<option value=${name} selected=${asked[field] === name}>${name}</option>`)}
      </select>
    </label>
  `;
  return html`
    <div class="settings">
      ${choice("class", t("try_explain"), t("try_predicted"))}
      ${choice("against", t("try_against"), t("try_no_other"))}
    </div>
  `;
}

function Explanation({ one }) {
  const { source } = useStore(tried);
  // The two maps of a difference come before it.
  const maps = one.maps.length === 3 ? [one.maps[1], one.maps[2], one.maps[0]] : one.maps;
  const taken = t("try_seconds", { seconds: fixed(one.seconds, 1) });
  return html`
    <div class="explanation" data-count=${maps.length} aria-live="polite">
      <p class="explained"><b>${one.title}</b> <span>${one.explained}</span> <span class="note">${taken}</span></p>
      ${one.notes.map((note) => html`<p class="note"><${Icon} name="note" />${note}</p>`)}
      <${Grey} faintest=${one.faintest} />
      <div class="maps">
        ${maps.map((map) => html`<${MapFigure} key=${map.subject} one=${one} map=${map} named=${maps.length > 1} />`)}
      </div>
      <div class="about-maps">
        ${one.scale && html`<${Scale} ...${one.scale} />`}
        ${maps.length > 1 && html`<p class="note">${t("try_difference")}</p>`}
        ${source === "webcam" && html`<p class="note">${t("try_as_seen")}</p>`}
        ${one.regions.length > 0 && html`<${Regions} one=${one} />`}
      </div>
    </div>
  `;
}

/* The filter that makes an image grey, and its black less dark, so that colours show over it. */
function Grey({ faintest }) {
  const share = ((1 - faintest) / 3).toFixed(4);
  const row = `${share} ${share} ${share} 0 ${faintest} `;
  return html`
    <svg width="0" height="0" class="hidden" aria-hidden="true">
      <filter id="try-grey" color-interpolation-filters="sRGB">
        <feColorMatrix values=${`${row}${row}${row}0 0 0 1 0`} />
      </filter>
    </svg>
  `;
}

const Picture = ({ one, label, filter, children }) => html`
  <svg class="picture" viewBox="0 0 ${one.width} ${one.height}" role="img" aria-label=${label}>
    <image
      href=${one.picture.source}
      width=${one.width}
      height=${one.height}
      preserveAspectRatio="none"
      data-small=${one.picture.is_small}
      filter=${filter}
    />
    ${children}
  </svg>
`;

function MapFigure({ one, map, named }) {
  return html`
    <figure class="map">
      ${named && html`<h3>${map.subject}</h3>`}
      ${map.drawn
        ? html`<${Picture} one=${one} label=${`${one.title}: ${map.subject}`} filter="url(#try-grey)">
              <image
                class="colours"
                href=${map.source}
                width=${one.width}
                height=${one.height}
                preserveAspectRatio="none"
              />
              ${map.lines.step && html`<path class="line" d=${map.lines.above} /><path class="line below" d=${map.lines.below} />`}
            <//>
            <figcaption class="note">${map.said}</figcaption>`
        : html`<p class="not-drawn"><${Icon} name="warning" /><span>${map.refusal}</span></p>`}
      <${Checks} checks=${map.checks} />
    </figure>
  `;
}

function Checks({ checks }) {
  return html`
    <details class="checks">
      <summary>
        ${t("try_checks")}
        ${checks.map(
          ({ title, passed }) => html`
            <span class="check" data-passed=${passed}>
              <${Icon} name=${passed ? "check" : "close"} />${title}
            </span>
          `,
        )}
      </summary>
      <ul>
        ${checks.map(
          ({ title, passed, measure, question, meaning }) => html`
            <li>
              <p>
                <b>${title}: ${passed ? t("try_passed") : t("try_not_passed")}</b>
                <span class="note">${measure}</span>
              </p>
              <p class="note">${question}</p>
              <p>${meaning}</p>
            </li>
          `,
        )}
      </ul>
    </details>
  `;
}

const Scale = ({ colours, numbers }) => html`
  <div class="scale">
    <div class="bar" style=${{ background: `linear-gradient(to right, ${colours.join(",")})` }}></div>
    <div class="ends">${numbers.map((number) => html`<span>${number}</span>`)}</div>
    <p class="note">${t("try_scale")}</p>
  </div>
`;

/* The smallest parts of the image that keep the answer, or change it. */
const Regions = ({ one }) => html`
  <h3>${t("try_decides")}</h3>
  <div class="regions">
    ${one.regions.map(
      (region) => html`
        <figure>
          ${region.covered !== undefined &&
          html`<${Picture} one=${one} label=${region.said}>
            <path d=${region.covered} fill=${region.colour} shape-rendering="crispEdges" />
            <path class="outline halo" d=${region.outline} /><path class="outline" d=${region.outline} />
          <//>`}
          <figcaption>${region.said}</figcaption>
        </figure>
      `,
    )}
  </div>
`;
