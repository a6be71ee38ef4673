/* Numbers: how the room writes small and large ones. */

import { decimal, fixed, megabytes, t } from "../words.js";

const SIGNS = { "-": "\u207b", 0: "\u2070", 1: "\u00b9", 2: "\u00b2", 3: "\u00b3" };

/* Return a small number as 1.2 × 10⁻⁷. */
export function science(number) {
  if (number === null || number === undefined) return "–";
  if (number === 0) return "0";
  const [digits, power] = number.toExponential(1).split("e");
  const raised = [...String(Number(power))].map(
    (sign) => SIGNS[sign] ?? String.fromCharCode(0x2070 + Number(sign)),
  );
  return `${decimal(Number(digits))} × 10${raised.join("")}`;
}

export const milliseconds = (number) => `${fixed(number, 2)} ms`;

const FORMATS = { onnx: "ONNX", openvino: "OpenVINO", litert: "LiteRT", saved_model: "SavedModel" };

export function formatName(to) {
  return FORMATS[to] ?? t("format_web");
}

export function bytes(number) {
  return number < 1e9 ? megabytes(number) : `${decimal(Math.round(number / 1e7) / 100)} GB`;
}
