/* Shell: what stands around the rooms. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { connection } from "./api.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { Messages } from "./messages.js";
import { IconButton } from "./parts.js";
import { go, goBack, place } from "./place.js";
import { project, redo, undo } from "./project.js";
import { queue, unsafe } from "./queue.js";
import { rooms } from "./rooms.js";
import { keep, useStore } from "./store.js";
import { chooseTheme, theme } from "./theme.js";
import { chooseLanguage, count, language, t } from "./words.js";

const THEMES = { auto: "light", light: "dark", dark: "auto" }; // what follows on each
const THEME_ICONS = { auto: "auto", light: "sun", dark: "moon" };

export function Shell() {
  useStore(language); // everything is drawn again in the other language
  const state = useStore(project);
  const { room } = useStore(place);
  const shown = rooms.find(({ key }) => key === room) ?? rooms[0];
  useEffect(() => {
    document.title = state ? `${state.name} · convlens studio` : "convlens studio";
  }, [state?.name]);
  useEffect(() => {
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return html`
    <a class="skip" href="#main">${t("skip")}</a>
    <${Header} state=${state} shown=${shown} />
    <${Banner} />
    <main id="main" tabindex="-1">${state ? html`<${Shown} key=${shown.key} room=${shown} />` : html`<${Waiting} />`}</main>
    <${Messages} />
  `;
}

/* A room, which is loaded when it is shown for the first time. */
function Shown({ room }) {
  const [problem, setProblem] = useState("");
  const [, redraw] = useState(0);
  const load = async () => {
    setProblem("");
    try {
      const [module] = await Promise.all([room.load(), styled(room.key)]);
      room.Room = module.Room;
      redraw(1);
    } catch (error) {
      setProblem(String(error.message ?? error));
    }
  };
  useLayoutEffect(() => dress(room.key), []);
  useEffect(() => {
    if (!room.Room) load();
  }, []);
  if (room.Room) return html`<${room.Room} />`;
  if (!problem) return html`<p class="waiting" role="status">${t("loading_room")}</p>`;
  return html`
    <div class="waiting" role="alert">
      <p>${t("no_room", { problem })}</p>
      <button type="button" class="button" onClick=${load}>${t("try_again")}</button>
    </div>
  `;
}

const sheets = new Map(); // of the rooms that were loaded, by their keys
const coming = new Map(); // likewise, from the moment they are asked for

/* Let only the style sheet of one room hold, since two rooms may use a name for different things. */
function dress(shown) {
  for (const [key, { sheet }] of sheets) sheet.disabled = key !== shown;
}

/* Load the style sheet of a room, once also for somebody who leaves the room and comes back. */
function styled(key) {
  if (!coming.has(key)) coming.set(key, loadSheet(key));
  return coming.get(key);
}

function loadSheet(key) {
  return new Promise((done, failed) => {
    const sheet = document.createElement("link");
    sheet.rel = "stylesheet";
    sheet.href = `/page/${key}/room.css`;
    sheet.onload = () => {
      sheets.set(key, sheet);
      dress(place.get().room);
      done();
    };
    sheet.onerror = () => {
      sheet.remove();
      coming.delete(key);
      failed(new Error(sheet.href));
    };
    document.head.append(sheet);
  });
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

function Header({ state, shown }) {
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
      ${rooms.length > 1 && html`<${Tabs} shown=${shown} />`}
      <div class="tools">
        <${Safety} />
        <${IconButton} icon="undo" label=${undoLabel} data-counts disabled=${!state?.undo} onClick=${undo} />
        <${IconButton} icon="redo" label=${redoLabel} data-counts disabled=${!state?.redo} onClick=${redo} />
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

/* The tabs lead back to a room as it was left; that of the room that is shown, to its beginning. */
function Tabs({ shown }) {
  const tabs = useRef(null);
  useEffect(() => {
    tabs.current.querySelector("[aria-current]").scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [shown.key]);
  const choose = ({ key, forgets }) => (key === shown.key || forgets ? go(key) : goBack(key));
  return html`
    <nav class="tabs" aria-label=${t("rooms")} ref=${tabs}>
      ${rooms.map(
        (room) => html`
          <button
            type="button"
            aria-current=${room.key === shown.key ? "page" : null}
            onClick=${() => choose(room)}
          >
            ${t(room.name)}
          </button>
        `,
      )}
    </nav>
  `;
}

function Theme() {
  const shown = useStore(theme);
  const label = t(`theme_${shown}`);
  return html`
    <${IconButton}
      icon=${THEME_ICONS[shown]}
      label=${label}
      data-counts
      onClick=${() => chooseTheme(THEMES[shown])}
    />
  `;
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
    <div class="banner">
      <${Icon} name="warning" /><p><span role="alert">${text}</span>${more}</p>
    </div>
  `;
}

const Waiting = () => html`<p class="waiting" role="status">${t("loading_workspace")}</p>`;
