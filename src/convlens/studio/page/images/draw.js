/* Draw: a board whose drawings become images of a class. */

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { classOf } from "../project.js";
import { enqueue, newGroup, newName, queue, unsafe } from "../queue.js";
import { say } from "../say.js";
import { useStore } from "../store.js";
import { count, t } from "../words.js";
import { Board, BoardSettings, StrokeButtons, useBoard } from "./board.js";
import { blobOf } from "./strokes.js";

export function Draw({ classId }) {
  const board = useBoard();
  const [group] = useState(newGroup);
  const { name } = classOf(classId);
  const add = async () => {
    if (!board.strokes.length) {
      say(t("draw_first"));
      return;
    }
    const blob = blobOf(board.canvas.current);
    board.empty(); // at once, since the next stroke may follow before the file is made
    enqueue([{ blob: await blob, name: newName("drawing", "png"), class: classId, group }]);
    say(t("did_draw", { name }));
  };
  return html`
    <${Board} board=${board} label=${t("board", { name })} onEnter=${add} />
    <div class="controls">
      <div class="buttons">
        <button type="button" class="button primary" onClick=${add}>
          <${Icon} name="check" />${t("add_drawing", { name })}
        </button>
        <${StrokeButtons} board=${board} />
      </div>
      <${BoardSettings} board=${board} />
      <${Saved} group=${group} />
      <p class="note" id="board-keys">${t("board_keys")}</p>
    </div>
  `;
}

function Saved({ group }) {
  const { saved } = useStore(queue);
  const left = unsafe();
  return html`
    <p class="recorded">
      <b>${count("saved", saved[group] ?? 0)}</b>
      ${left > 0 && html` <span class="unsafe">${count("unsafe", left)}</span>`}
    </p>
  `;
}
