/* Api: requests to the server of the studio, and whether it answers. */

import { createStore, keep, kept } from "./store.js";
import { language } from "./words.js";

/* "fine", "gone" (nobody answers) or "locked" (the token is missing or another one);
   `times` counts how often the server has come back, so that failed images are asked for again. */
export const connection = createStore({ state: "fine", times: 0 });

let token = kept("token") ?? "";
let imageKey = "";

/* Take the token out of the address, where nobody needs to see it. */
export function takeToken() {
  const found = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!found) return;
  token = found;
  keep("token", found);
  history.replaceState(null, "", location.pathname + location.search);
}

export function setImageKey(key) {
  imageKey = key;
}

/* The server has refused a request.

   status is that of HTTP; field names what is wrong in the request, or is null. */
export class Refusal extends Error {
  constructor(status, answer) {
    super(answer.message);
    this.status = status;
    this.field = answer.field ?? null;
    this.answer = answer;
  }
}

/* The server does not answer. */
export class Gone extends Error {}

const SHORT = 8000; // letters of a request that a browser sends although its page is left

/* Ask the server, and return its answer.

   `json` or `body` is what is sent; a request without a method is a GET, or a POST if it sends. */
export async function call(path, { method, json, body, signal } = {}) {
  const text = json === undefined ? undefined : JSON.stringify(json);
  const how = method ?? (text === undefined && body === undefined ? "GET" : "POST");
  const headers = {
    "X-Convlens-Token": token,
    "Accept-Language": language.get() === "zh" ? "zh-TW" : "en",
  };
  if (json !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  let said;
  try {
    answer = await fetch(path, {
      method: how,
      headers,
      body: text ?? body,
      signal,
      keepalive: how !== "GET" && body === undefined && (text ?? "").length < SHORT,
    });
    said = await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    reached("gone");
    throw new Gone(String(error));
  }
  reached(answer.status === 401 ? "locked" : "fine");
  if (!answer.ok) throw new Refusal(answer.status, said);
  return said;
}

function reached(state) {
  const now = connection.get();
  if (now.state === state) return;
  connection.set({ state, times: now.times + (state === "fine" ? 1 : 0) });
}

export function thumbUrl(id, size) {
  return `/images/${id}/thumb?key=${imageKey}&size=${size}${again()}`;
}

export function fullUrl(id) {
  return `/images/${id}/full?key=${imageKey}${again()}`;
}

/* An image under the microscope, and the page that shows what a network makes of it. */
export function pictureUrl(id) {
  return `/images/microscope/${id}?key=${imageKey}${again()}`;
}

export function pageUrl(page) {
  return `/images/microscope/page/${page}?key=${imageKey}`;
}

/* The stamp of the audit keeps a picture of an earlier one out of the browser's memory. */
export function differenceUrl(finding, place, stamp) {
  const named = stamp === undefined ? "" : `&stamp=${stamp}`;
  return `/images/difference/${finding}/${place}?key=${imageKey}${named}${again()}`;
}

function again() {
  const { times } = connection.get();
  return times ? `&v=${times}` : "";
}
