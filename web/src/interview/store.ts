// The mock interview that goes on, if there is one: groundup:interview.

export interface Interview {
  version: 1;
  /** When it began, in milliseconds. */
  since: number;
  /** When the reader ended it before its time. */
  ended?: number;
  exercises: Drawn[];
  /** The ids of their cards on the list. */
  questions: string[];
}

export interface Drawn {
  name: string;
  title: string;
  hash: string;
  minutes: number;
}

export const MINUTES = 45;
const KEY = 'groundup:interview';
export const INTERVIEW = 'groundup:interview'; // the event that tells of a change
let memory: Interview | null = null; // all there is in private mode

const isDrawn = (value: unknown): value is Drawn => {
  const { name, title, hash, minutes } = (value ?? {}) as Record<keyof Drawn, unknown>;
  return [name, title, hash].every((text) => typeof text === 'string') && Number.isFinite(minutes);
};

export function current(): Interview | null {
  try {
    const text = localStorage.getItem(KEY);
    if (text === null) return memory;
    const found = JSON.parse(text) as Partial<Interview> | null;
    const { since, exercises, questions } = found ?? {};
    if (found?.version !== 1 || !Number.isFinite(since) || !Array.isArray(exercises) || !Array.isArray(questions))
      return null;
    if (!exercises.every(isDrawn) || !questions.every((text) => typeof text === 'string')) return null;
    return found as Interview;
  } catch {
    return memory;
  }
}

export function keep(interview: Interview | null): void {
  memory = interview;
  try {
    if (interview) localStorage.setItem(KEY, JSON.stringify(interview));
    else localStorage.removeItem(KEY);
  } catch {
    // private mode or full: it lasts as long as the page
  }
  document.dispatchEvent(new Event(INTERVIEW));
}

/** Exercises that fit into the time, drawn at random: as many as go in, of those that interviewers ask for first. */
export function draw<One extends { minutes: number; asked: boolean }>(pool: One[], random = Math.random): One[] {
  const order = pool.map((one) => ({ one, rank: random() - Number(one.asked) })).sort((a, b) => a.rank - b.rank);
  let left = MINUTES;
  return order.flatMap(({ one }) => {
    if (one.minutes > left) return [];
    left -= one.minutes;
    return [one];
  });
}
