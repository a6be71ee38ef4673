/* Plan: what a training will be, before it is one. */

import { Copyable } from "../copyable.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { go } from "../place.js";
import { project } from "../project.js";
import { useStore } from "../store.js";
import { count, decimal, listed, t } from "../words.js";
import { about, exactly } from "../time.js";

const FEW = 20; // images of a class
const UNEQUAL = 5; // times as many images

export function Plan({ request, answer, problem, state }) {
  const plan = answer?.plan;
  return html`
    <section class="plan" aria-labelledby="plan-title" aria-busy=${plan?.state === "running"}>
      <h2 id="plan-title">${t("plan_title")}</h2>
      <p class="sentence" aria-live="polite"><${Sentence} request=${request} plan=${plan} /></p>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      <${Warnings} request=${request} state=${state} />
      ${plan?.state === "running" && html`<${Measuring} progress=${plan.progress} />`}
      ${plan?.state === "later" && html`<p class="note" role="status">${t("plan_later")}</p>`}
      ${plan?.state === "failed" && html`<p class="problem" role="alert">${plan.message}</p>`}
      ${plan?.state === "done" && html`<${Facts} plan=${plan} />`}
      ${answer?.command &&
      html`<details class="command">
        <summary>${t("train_with")}</summary>
        <${Copyable} label=${t("train_with")} text=${answer.command} />
      </details>`}
    </section>
  `;
}

function Sentence({ request, plan }) {
  const { classes } = useStore(project);
  const used = classes.filter(({ images }) => images > 0);
  const fields = {
    images: decimal(used.reduce((sum, { images }) => sum + images, 0)),
    classes: decimal(used.length),
    epochs: decimal(request.epochs ?? 0),
    time: request.seconds ? exactly(request.seconds) : "",
  };
  const isShort = request.seconds < plan?.needed?.seconds;
  const said = t(isShort ? "plan_budget_short" : `plan_${request.way}`, fields);
  if (request.seconds || plan?.state !== "done") return said;
  return html`${said} <b>${t("plan_time", { time: about(plan.seconds) })}</b>`;
}

const Measuring = ({ progress }) => html`
  <div class="measuring" role="status">
    <p class="note">${progress?.stage ? t("plan_stage", { stage: progress.stage }) : t("plan_measuring")}</p>
    <progress
      aria-label=${t("plan_measuring")}
      max=${progress?.total || null}
      value=${progress?.total ? progress.done : null}
    ></progress>
  </div>
`;

const Facts = ({ plan }) => html`
  ${plan.notes.length > 0 &&
  html`<ul class="warnings">
    ${plan.notes.map((text) => html`<li><${Icon} name="note" /><span>${text}</span></li>`)}
  </ul>`}
  <dl class="facts">
    ${plan.facts.map(([name, text]) => html`<div><dt>${name}</dt><dd>${text}</dd></div>`)}
  </dl>
`;

/* What speaks against training now, with the way to where it is put right. */
function Warnings({ request, state: { unlike, lacking } }) {
  const { classes, audit } = useStore(project);
  const used = classes.filter(({ images }) => images > 0);
  const sizes = used.map(({ images }) => images);
  const small = used.filter(({ images }) => images < FEW);
  const empty = classes.filter(({ images }) => !images);
  const isTrained = ["head", "tune"].includes(request.way);
  const found = [
    ...(isTrained && lacking ? [t("plan_lacking", { command: lacking })] : []),
    ...(isTrained && unlike ? [t("plan_unlike", { reason: unlike })] : []),
    ...(empty.length ? [t("plan_empty", { names: listed(empty.map(({ name }) => name)) })] : []),
    ...small.slice(0, 4).map(({ name, images }) => count("plan_few", images, { name })),
    ...(sizes.length && Math.max(...sizes) > UNEQUAL * Math.min(...sizes) ? [t("plan_unequal")] : []),
  ];
  const check = checked(audit);
  if (!found.length && !check) return null;
  return html`
    <ul class="warnings">
      ${found.map((text) => html`<li><${Icon} name="warning" /><span>${text}</span></li>`)}
      ${check &&
      html`<li>
        <${Icon} name="search" />
        <span>
          ${check}${" "}
          <button type="button" class="link" onClick=${() => go("images")}>${t("train_to_images")}</button>
        </span>
      </li>`}
    </ul>
  `;
}

function checked(audit) {
  if (audit.state === "none") return t("plan_unchecked");
  if (audit.state !== "done") return "";
  const doubts = (audit.levels.error ?? 0) + (audit.levels.warning ?? 0);
  if (audit.stale) return t("plan_stale");
  return doubts ? count("plan_doubts", doubts) : "";
}
