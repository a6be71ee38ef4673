/* Repeats: what a hand does more often than it means, wherever that is. */

/* Let a key that is held, and a double click, act once, from now on.

   The second click may meet another button, as the first one has moved what is shown. On a button
   with `data-counts`, each click counts. */
export function leaveRepeatsOut() {
  let first = null; // the button that the first click has met
  const isRepeated = ({ detail, target }) => {
    const button = target.closest?.("button");
    if (detail === 1) first = button;
    if (detail < 2 || !button) return false;
    return button !== first || !("counts" in button.dataset);
  };
  const onClick = (event) => isRepeated(event) && leaveOut(event);
  const onKeyDown = (event) => event.repeat && event.key === "Enter" && leaveOut(event);
  addEventListener("click", onClick, { capture: true });
  addEventListener("keydown", onKeyDown, { capture: true });
}

function leaveOut(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}
