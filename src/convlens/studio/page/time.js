/* Time: seconds as one says them. */

import { count, decimal, t, tag } from "./words.js";

/* Return "about 2 minutes" or "about 40 seconds"; nobody knows more before. */
export function about(seconds) {
  if (seconds < 100) return count("about_seconds", Math.max(10, 10 * Math.round(seconds / 10)));
  if (seconds < 5400) return count("about_minutes", Math.round(seconds / 60));
  return t("about_hours", { n: decimal(Math.round(seconds / 360) / 10) });
}

/* Return a time that somebody has given, such as "3 minutes" or "90 seconds". */
export function exactly(seconds) {
  const isWhole = seconds >= 60 && seconds % 30 === 0;
  return isWhole ? count("minutes", seconds / 60) : count("seconds", seconds);
}

/* Return an exact time such as "1:05" or "2:03:09". */
export function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, place) => (place ? String(part).padStart(2, "0") : part)).join(":");
}

/* Return a time of day, with the day unless it is today. */
export function moment(value) {
  const date = new Date(value);
  const isToday = date.toDateString() === new Date().toDateString();
  const how = isToday ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" };
  return new Intl.DateTimeFormat(tag(), how).format(date);
}
