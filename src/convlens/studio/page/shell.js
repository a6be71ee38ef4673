/* Shell: what stands around the rooms. */

import { useEffect, useState } from "preact/hooks";
import { connection } from "./api.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { IconButton } from "./parts.js";
import { project, redo, undo } from "./project.js";
import { queue, unsafe } from "./queue.js";
import { rooms } from "./rooms.js";
import { close, messages } from "./say.js";
import { createStore, keep, useStore } from "./store.js";
import { chooseLanguage, count, language, t } from "./words.js";

const THEMES = { auto: "light", light: "dark", dark: "auto" }; // what follows on each
const THEME_ICONS = { auto: "auto", light: "sun", dark: "moon" };

export const room = createStore(rooms[0].key);

export function Shell() {
  useStore(language); // everything is drawn again in the other language
  const state = useStore(project);
  const chosen = useStore(room);
  const shown = rooms.find(({ key }) => key === chosen);
  useEffect(() => {
    document.title = state ? `${state.name} · convlens studio` : "convlens studio";
  }, [state?.name]);
  useEffect(() => {
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return html`
    <a class="skip" href="#main">${t("skip")}</a>
    <${Header} state=${state} />
    <${Banner} />
    <main id="main" tabindex="-1">${state ? html`<${shown.Room} />` : html`<${Waiting} />`}</main>
    <${Messages} />
  `;
}

/* Ctrl-Z takes the last change back, unless something is being typed or drawn. */
function onKey(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.defaultPrevented) return;
  if (event.target.closest?.("input, textarea, dialog")) return;
  const key = event.key.toLowerCase();
  const act = key === "y" || (key === "z" && event.shiftKey) ? redo : key === "z" ? undo : null;
  if (!act) return;
  event.preventDefault();
  act();
}

function Header({ state }) {
  const undoLabel = state?.undo ? t("undo_what", { what: state.undo.text }) : t("undo");
  const redoLabel = state?.redo ? t("redo_what", { what: state.redo.text }) : t("redo");
  const other = language.get() === "en" ? "zh" : "en";
  return html`
    <header class="top">
      <h1>
        <img src="/page/icon.svg" alt="" width="28" height="28" />
        <span class="product">convlens studio</span>
        ${state && html`<span class="workspace">${state.name}</span>`}
      </h1>
      ${rooms.length > 1 && html`<${Tabs} />`}
      <div class="tools">
        <${Safety} />
        <${IconButton} icon="undo" label=${undoLabel} disabled=${!state?.undo} onClick=${undo} />
        <${IconButton} icon="redo" label=${redoLabel} disabled=${!state?.redo} onClick=${redo} />
        <span class="rule"></span>
        <button
          type="button"
          class="icon-button language"
          lang=${other === "zh" ? "zh-Hant-TW" : "en"}
          aria-label=${other === "zh" ? "中文" : "English"}
          title=${other === "zh" ? "中文" : "English"}
          onClick=${() => chooseLanguage(other)}
        >
          ${other === "zh" ? "中" : "EN"}
        </button>
        <${TypeSize} />
        <${Theme} />
      </div>
    </header>
  `;
}

const Tabs = () => html`
  <nav class="tabs" aria-label=${t("rooms")}>
    ${rooms.map(
      ({ key, name }) => html`
        <button
          type="button"
          aria-current=${key === room.get() ? "page" : null}
          onClick=${() => room.set(key)}
        >
          ${t(name)}
        </button>
      `,
    )}
  </nav>
`;

function Theme() {
  const [theme, setTheme] = useState(document.documentElement.dataset.theme);
  const choose = () => {
    document.documentElement.dataset.theme = THEMES[theme];
    keep("theme", THEMES[theme]);
    setTheme(THEMES[theme]);
  };
  const label = t(`theme_${theme}`);
  return html`<${IconButton} icon=${THEME_ICONS[theme]} label=${label} onClick=${choose} />`;
}

function TypeSize() {
  const [size, setSize] = useState(document.documentElement.dataset.type);
  const choose = () => {
    const next = size === "large" ? "normal" : "large";
    document.documentElement.dataset.type = next;
    keep("type", next);
    setSize(next);
  };
  return html`
    <button
      type="button"
      class="icon-button type-size"
      aria-pressed=${size === "large"}
      aria-label=${t("large_type")}
      title=${t("large_type")}
      onClick=${choose}
    >
      <span aria-hidden="true">A<b>A</b></span>
    </button>
  `;
}

/* Whether the server has all images. */
function Safety() {
  useStore(queue);
  const waiting = unsafe();
  if (!project.get()?.may_add) return null;
  const text = waiting ? count("unsafe", waiting) : t("all_safe");
  return html`
    <span class="safety" data-waiting=${waiting} title=${text}>
      <${Icon} name=${waiting ? "files" : "check"} /><span>${text}</span>
    </span>
  `;
}

function Banner() {
  const { state } = useStore(connection);
  const { problem } = useStore(queue);
  if (state === "fine" && !problem) return null;
  const waiting = unsafe();
  const more = state !== "locked" && waiting ? ` ${count("gone_unsafe", waiting)}` : "";
  const text = state === "fine" ? t("cannot_save", { problem }) : t(state);
  return html`
    <div class="banner" role="alert">
      <${Icon} name="warning" /><p>${text}${more}</p>
    </div>
  `;
}

const Waiting = () => html`<p class="waiting" role="status">${t("loading_workspace")}</p>`;

/* Short messages; screen readers say them, too. */
function Messages() {
  const shown = useStore(messages);
  const part = (kind) => shown.filter((one) => one.kind === kind);
  return html`
    <div class="messages">
      <div role="alert">${part("error").map((one) => html`<${Message} key=${one.number} one=${one} />`)}</div>
      <div role="status" aria-live="polite">
        ${part("done").map((one) => html`<${Message} key=${one.number} one=${one} />`)}
      </div>
    </div>
  `;
}

function Message({ one }) {
  const state = useStore(project);
  const isLast = one.undo > 0 && state?.undo && state.version <= one.undo;
  return html`
    <div class="message ${one.kind}">
      ${one.kind === "error" && html`<${Icon} name="error" />`}
      <p>${one.text}</p>
      ${isLast &&
      html`<button type="button" class="link" onClick=${() => { close(one.number); undo(); }}>${t("undo")}</button>`}
      <${IconButton} icon="close" label=${t("close")} onClick=${() => close(one.number)} />
    </div>
  `;
}
