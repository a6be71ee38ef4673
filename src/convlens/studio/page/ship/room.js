/* Room 6, Ship: a classifier leaves the studio with its proof, and a workspace as one zip. */

import { html } from "../html.js";
import { useRuns } from "../runs.js";
import { t } from "../words.js";
import { Camera } from "./camera.js";
import { Exports } from "./exports.js";
import { Maker } from "./maker.js";
import { useServing, useShip } from "./ship.js";
import { Workspace } from "./workspace.js";

export function Room() {
  const ship = useShip();
  const runs = useRuns();
  useServing(ship?.serving.state === "running");
  if (!ship || !runs) return html`<p class="room waiting" role="status">${t("loading_room")}</p>`;
  return html`
    <div class="room ship">
      <div class="ship-main">
        <${Maker} runs=${runs} ship=${ship} />
        <${Exports} ship=${ship} />
      </div>
      <div class="ship-side">
        <${Workspace} />
        <${Camera} camera=${ship.camera} />
      </div>
    </div>
  `;
}
