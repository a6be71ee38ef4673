/* Icons: drawn with lines in the colour of the text; a text beside them, or a label, says the same. */

import { html } from "./html.js";

const LINES = {
  camera: "M4 8h3l2-3h6l2 3h3v11H4zM12 10a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7",
  draw: "m4 20 1-5L16 4l4 4L9 19zM13.5 6.5l4 4",
  files: "M12 16V4m-5 5 5-5 5 5M4 15v5h16v-5",
  folder: "M3 6h6l2 3h10v10H3z",
  plus: "M12 5v14M5 12h14",
  undo: "M9 5 4 10l5 5M4 10h10a5.5 5.5 0 0 1 0 11h-3",
  redo: "m15 5 5 5-5 5m5-5H10a5.5 5.5 0 0 0 0 11h3",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5m4-5v5",
  exclude: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17M6 6l12 12",
  check: "m5 13 5 5L20 7",
  arrow: "M5 12h14m-5-5 5 5-5 5",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13m5 11.5L21 21",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8m0-6v2m0 16v2M2 12h2m16 0h2M5 5l1.4 1.4m11.2 11.2L19 19M5 19l1.4-1.4M17.6 6.4 19 5",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5",
  auto: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16m0 0v16M12 8h5.5M12 12h8m-8 4h5.5",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  warning: "M12 4 2.5 20h19zM12 10v5m0 2.3v.2",
  error: "M8 3h8l5 5v8l-5 5H8l-5-5V8zm4 4v6m0 3.3v.2",
  note: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17m0 7.5v5m0-8.3v.2",
  close: "m6 6 12 12M18 6 6 18",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  restore: "M4 5v5h5M4.6 14.5A8 8 0 1 0 6 7l-2 3",
  images: "M4 5h16v14H4zm0 11 5-5 4 4 3-3 4 4M15.5 8.5h.01",
  keyboard: "M3 7h18v11H3zm4 4h.01M11 11h.01M15 11h.01M8 15h8",
  unreadable: "M4 5h16v14H4zM4 5l16 14",
  details: "M4 5h16v14H4zM14 5v14",
  play: "M7 4v16l13-8z",
  pause: "M7 4v16M17 4v16",
  clock: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17M12 7v5l3.5 2",
  up: "M12 20V5m-6 6 6-6 6 6",
  down: "M12 4v15m-6-6 6 6 6-6",
  pencil: "m4 20 1-5L16 4l4 4L9 19z",
  download: "M12 4v12m-5-5 5 5 5-5M4 20h16",
  server: "M4 4h16v7H4zM4 13h16v7H4zM7.5 7.5h.01M7.5 16.5h.01",
  phone: "M7 2.5h10v19H7zM11 18.5h2",
  zip: "M5 3h9l5 5v13H5zM14 3v5h5M9.5 11v2m0 2v2",
  box: "m12 3 8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9",
};

export const Icon = ({ name }) => html`
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" data-icon=${name}>
    <path d=${LINES[name]} />
  </svg>
`;
