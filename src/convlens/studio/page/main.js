/* The page of the studio starts here. */

import { render } from "preact";
import { html } from "./html.js";
import { takeToken } from "./api.js";
import { loadTexts } from "./words.js";
import { follow } from "./project.js";
import { Shell } from "./shell.js";

takeToken();
await loadTexts();
render(html`<${Shell} />`, document.body);
follow();
