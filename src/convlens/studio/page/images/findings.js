/* Findings: what the audit has found of one kind, with the images side by side. */

import { useEffect, useRef, useState } from "preact/hooks";
import { call, connection, Gone } from "../api.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { change, project } from "../project.js";
import { say } from "../say.js";
import { useStore } from "../store.js";
import { count, decimal, language, t } from "../words.js";
import { Level } from "./check.js";
import { FindingCard } from "./finding_card.js";
import { filter, filters } from "./list.js";

const PART = 50; // findings of one request
const MOST = 200; // which the server gives in one answer

const NOTHING = { rows: [], total: 0, problem: "" };

/* Return the findings of a kind, how many there are, and a function that loads more of them. */
function useFindings(code) {
  const { version, audit } = useStore(project);
  const { times } = useStore(connection);
  const [found, setFound] = useState({ code: "", ...NOTHING });
  const stop = useRef(null); // of the requests for what is shown
  const words = language.get();
  const load = async (from) => {
    const { signal } = stop.current;
    const again = found.code === code ? found.rows.length : 0;
    const limit = from ? PART : Math.min(MOST, Math.max(PART, again));
    try {
      const path = `/api/findings?code=${code}&offset=${from}&limit=${limit}`;
      const { rows, total, stamp } = await call(path, { signal });
      if (from && stamp !== found.stamp) return; // another audit, which is being loaded
      setFound((now) => ({ code, rows: [...now.rows.slice(0, from), ...rows], total, stamp, problem: "" }));
    } catch (error) {
      if (error.name === "AbortError" || error instanceof Gone) return;
      setFound({ code, ...NOTHING, problem: error.message });
    }
  };
  useEffect(() => {
    stop.current = new AbortController();
    load(0);
    return () => stop.current.abort();
  }, [code, version, words, audit.stamp, times]);
  const shown = found.code === code ? found : NOTHING;
  return { ...shown, more: () => load(shown.rows.length) };
}

/* Do what is proposed; the stamp names the audit that has proposed it. */
async function applyFindings(json) {
  const answer = await change("/api/apply", { json });
  if (answer) say(count("did_apply", answer.changed), { undo: answer.version });
}

export function Findings({ asGrid, setAsGrid }) {
  const { finding: code } = useStore(filters);
  const { audit } = useStore(project);
  const about = audit.codes?.find((one) => one.code === code);
  const { rows, total, stamp, problem, more } = useFindings(code);
  const apply = (json) => applyFindings({ ...json, stamp });
  if (!about) return null;
  const can = rows.some(({ proposals }) => proposals.some(({ action }) => action !== "look"));
  return html`
    <section class="findings" aria-labelledby="finding-title" data-grid=${asGrid}>
      <header class="finding-about">
        <div class="finding-head">
          <h2 id="finding-title"><${Level} level=${about.level} /><span class="title">${about.title}</span></h2>
          <div class="buttons">
            ${can &&
            html`<button type="button" class="button primary" onClick=${() => apply({ code })}>
              <${Icon} name="check" />${count("apply_all", about.findings)}
            </button>`}
            <button type="button" class="button" aria-pressed=${asGrid} onClick=${() => setAsGrid(!asGrid)}>
              <${Icon} name="images" />${t("as_grid")}
            </button>
            <button type="button" class="button" onClick=${() => filter({ finding: "" })}>
              <${Icon} name="close" />${t("all_images")}
            </button>
          </div>
        </div>
        <p>${about.meaning}${" "}<span class="advice">${about.advice}</span></p>
      </header>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      ${!asGrid &&
      html`<div class="cards">
        ${rows.map(
          (one) => html`
            <${FindingCard} key=${`${stamp} ${one.number}`} one=${one} stamp=${stamp} apply=${apply} />
          `,
        )}
        ${rows.length < total &&
        html`<button type="button" class="button more" onClick=${more}>
          ${t("more_findings", { shown: decimal(rows.length), all: decimal(total) })}
        </button>`}
      </div>`}
    </section>
  `;
}
