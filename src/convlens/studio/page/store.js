/* Store: a value that components follow. */

import { useLayoutEffect, useReducer } from "preact/hooks";

export function createStore(value) {
  const followers = new Set();
  return {
    get: () => value,
    set(next) {
      value = next;
      for (const follow of [...followers]) follow(value);
    },
    change(part) {
      this.set({ ...value, ...part });
    },
    follow(follower) {
      followers.add(follower);
      return () => followers.delete(follower);
    },
  };
}

/* Return the value of a store; the component is drawn again when it changes. */
export function useStore(store) {
  const [, redraw] = useReducer((times) => times + 1, 0);
  const shown = store.get();
  useLayoutEffect(() => {
    if (store.get() !== shown) redraw();
    return store.follow(redraw);
  }, [store]);
  return shown;
}

/* Read and write what this browser keeps for the studio; it may refuse to keep anything. */
export function kept(name) {
  try {
    return localStorage.getItem(`convlens-${name}`);
  } catch {
    return null;
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(`convlens-${name}`, value);
  } catch {
    return false;
  }
  return true;
}
