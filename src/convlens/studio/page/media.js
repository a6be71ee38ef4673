/* Media: what the style sheets ask of the screen, for the scripts. */

import { useEffect, useState } from "preact/hooks";

/* Return whether a media query fits; the component is drawn again when that changes. */
export function useMedia(query) {
  const [fits, setFits] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const watched = matchMedia(query);
    const follow = () => setFits(watched.matches);
    watched.addEventListener("change", follow);
    return () => watched.removeEventListener("change", follow);
  }, [query]);
  return fits;
}
