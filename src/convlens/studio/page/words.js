/* Words: the texts of the page in the language that was chosen, and numbers as it writes them. */

import { createStore, keep } from "./store.js";

const TAGS = { en: "en", zh: "zh-Hant-TW" };
const HAN = /[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]/;

export const language = createStore(document.documentElement.lang.startsWith("zh") ? "zh" : "en");
let texts = { en: {}, zh: {} };

export async function loadTexts() {
  texts = await (await fetch("/texts.json")).json();
}

export function chooseLanguage(chosen) {
  document.documentElement.lang = TAGS[chosen];
  keep("language", chosen);
  language.set(chosen);
}

/* Return a text with the values of its fields. */
export function t(key, fields = {}) {
  return filled(texts[language.get()][key] ?? key, fields);
}

/* Return the text of a number of things: `key_one` or `key_many`. */
export function count(key, number, fields = {}) {
  return t(`${key}_${number === 1 ? "one" : "many"}`, { n: decimal(number), ...fields });
}

export function decimal(number) {
  return new Intl.NumberFormat(TAGS[language.get()]).format(number);
}

/* Return a number with that many digits after the point, rounded as reports round it. */
export function fixed(number, digits) {
  const how = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(TAGS[language.get()], how).format(rounded(number, digits));
}

const MORE = 25; // digits in which a number that lies between two others is told from all others

/* Round as Python does: a number in the middle between two goes to the one whose last digit is even.
   `toFixed` knows the exact value, too, but takes the larger one: 56.25 would be 56.3 here, and 56.2
   in the report. */
export function rounded(number, digits) {
  const exact = number.toFixed(digits + MORE);
  const isBetween = /^50*$/.test(exact.slice(-MORE));
  const below = exact.slice(0, -MORE); // towards 0
  return Number(isBetween && /[02468]\.?$/.test(below) ? below : number.toFixed(digits));
}

/* Return a share such as 0.25 in per cent. */
export function percent(share, digits = 1) {
  return t("percent", { n: fixed(100 * share, digits) });
}

/* Return those sentences that are there as one text. */
export function sentences(...said) {
  return said.filter(Boolean).join(language.get() === "zh" ? "" : " ");
}

const SIGNS = { list: [", ", "、"], comma: [", ", "，"], semicolon: ["; ", "；"] };

/* Return texts as a list, with the signs of the language between them. */
export function listed(texts, sign = "list") {
  return texts.join(SIGNS[sign][language.get() === "zh" ? 1 : 0]);
}

/* Return what `Intl` calls the language. */
export const tag = () => TAGS[language.get()];

export function megabytes(bytes) {
  if (bytes < 1e6) return `${decimal(Math.max(1, Math.round(bytes / 1e3)))} kB`;
  return `${decimal(Math.round(bytes / 1e5) / 10)} MB`;
}

/* A field that is Chinese itself stands without the spaces that a Chinese text has around it. */
function filled(template, fields) {
  return template.replace(/( ?)\{(\w+)\}( ?)/g, (found, before, name, after, place) => {
    const value = String(fields[name]);
    const left = template[place - 1] ?? "";
    const right = template[place + found.length] ?? "";
    const joinsLeft = HAN.test(left) && HAN.test(value[0] ?? "");
    const joinsRight = HAN.test(right) && HAN.test(value.at(-1) ?? "");
    return (joinsLeft ? "" : before) + value + (joinsRight ? "" : after);
  });
}
