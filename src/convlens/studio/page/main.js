import { h, render } from "preact";
import htm from "htm";

const html = htm.bind(h);
render(html`<main>convlens studio</main>`, document.body);
