// A value that React components can follow. Each cell has its own, so that a run draws one cell and not sixty.
import { useSyncExternalStore } from 'react';

export interface Atom<T> {
  get(): T;
  set(value: T): void;
  subscribe(listener: () => void): () => void;
}

export function atom<T>(value: T): Atom<T> {
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Changes some fields of an atom that holds an object. */
export function patch<T extends object>(target: Atom<T>, change: Partial<T>): void {
  const before = target.get();
  const same = (Object.keys(change) as (keyof T)[]).every((key) => Object.is(before[key], change[key]));
  if (!same) target.set({ ...before, ...change });
}

export function useAtom<T>(source: Atom<T>): T {
  return useSyncExternalStore(source.subscribe, source.get);
}
