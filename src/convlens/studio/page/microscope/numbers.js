/* Numbers: how the microscope writes them, with a minus sign as long as a digit. */

import { rounded } from "../words.js";

const signed = (text) => text.replace("-", "−");
const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

/* Write a number as one times a power of ten. */
function scientific(value) {
  const [digit, power] = value.toExponential(2).split("e");
  const raised = [...power.replace("+", "")].map((one) => RAISED[one]).join("");
  return `${signed(digit)} × 10${raised}`;
}

/* Write a number with some places after the point; a tiny one with its power of ten. */
export function digits(value, places = 4) {
  if (!Number.isFinite(value)) return "∞";
  const size = Math.abs(value);
  if (places > 1 && size > 0 && size < 10 ** -places) return scientific(value);
  if (size >= 1e6) return scientific(value);
  return signed(rounded(value, places).toFixed(places));
}

/* Write a number in brackets if a sign stands before it. */
export function inBrackets(value, places) {
  const text = digits(value, places);
  return value < 0 ? `(${text})` : text;
}
