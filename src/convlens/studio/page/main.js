/* The page of the studio starts here. */

import { render } from "preact";
import { html } from "./html.js";
import { takeToken } from "./api.js";
import { loadTexts } from "./words.js";
import { follow, refresh } from "./project.js";
import { leaveRepeatsOut } from "./repeats.js";
import { stayAtDrops } from "./stay.js";
import { Shell } from "./shell.js";

takeToken();
leaveRepeatsOut();
stayAtDrops();
const texts = loadTexts();
const state = refresh(); // meanwhile
await texts;
render(html`<${Shell} />`, document.body);
await state;
follow();
