/* Framed: a page of the product in a frame, in the language and the theme of the studio.

   The frame has an origin of its own, so that it can only be told what it should look like. */

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { useStore } from "../store.js";
import { useDark } from "../theme.js";
import { language, tag } from "../words.js";

export function Framed({ title, src }) {
  const frame = useRef(null);
  const [isLoaded, setLoaded] = useState(false);
  const spoken = useStore(language);
  const isDark = useDark();
  useEffect(() => {
    if (!isLoaded) return;
    const told = { language: tag(), theme: isDark ? "dark" : "light" };
    frame.current.contentWindow.postMessage(told, "*"); // its origin has no name
  }, [isLoaded, spoken, isDark]);
  return html`<iframe
    ref=${frame}
    title=${title}
    sandbox="allow-scripts"
    src=${src}
    data-loaded=${isLoaded}
    onLoad=${() => setLoaded(true)}
  ></iframe>`;
}
