import { explainError } from '../../lib/errors.ts';

/** One thing looked at: what was found, and what to do when it is not right, or could be better. */
export type Check = { readonly name: string; readonly ok: boolean; readonly detail: string; readonly mend: string };

export function good(name: string, detail: string): Check {
  return { name, ok: true, detail, mend: '' };
}

/** It works, and an operator may want to think twice. */
export function doubtful(name: string, detail: string, mend: string): Check {
  return { name, ok: true, detail, mend };
}

export function bad(name: string, detail: string, mend: string): Check {
  return { name, ok: false, detail, mend };
}

/** A check that fails by throwing has failed, and the others go on. */
export async function attempt(name: string, mend: string, work: () => Promise<Check>): Promise<Check> {
  try {
    return await work();
  } catch (error) {
    return bad(name, explainError(error), mend);
  }
}
