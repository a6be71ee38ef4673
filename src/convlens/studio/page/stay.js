/* Stay: a file that is dropped beside the place for it does not take the page away.

   A browser would open it instead, and what was drawn, computed or typed would be lost. */
export function stayAtDrops() {
  const keep = (event) => {
    if (event.defaultPrevented || ![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "none";
  };
  for (const kind of ["dragover", "drop"]) addEventListener(kind, keep);
}
