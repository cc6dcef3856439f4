import type { BlockRef, Head, Hex } from '../lib/types.ts';

/** Blocks below the tip that are remembered: enough for the deepest reorg on top of the longest gap that is filled. */
const REMEMBERED = 1_024;

/** A head that cannot be the child of the parent that it names: one of the two is not what it was said to be. */
export class MisfitError extends RangeError {
  override readonly name = 'MisfitError';
  readonly child: Head;
  constructor(child: Head, problem: string) {
    super(`block ${child.number} ${problem}`);
    this.child = child;
  }
}

/** Why the one cannot be the child of the other; null when it can. */
export function misfitOf(child: Head, parent: Head): string | null {
  if (child.number !== parent.number + 1) return `names block ${parent.number} as its parent`;
  return child.timestamp < parent.timestamp ? 'is older than its parent' : null;
}

/** Which chain is ours, by parent hash. Pure: fed with headers, it says which one is missing, and how to get from one block to the tip. */
export class HeadChain {
  /** Everything seen, of abandoned branches too: a follower may still stand on one. */
  readonly #seen = new Map<Hex, Head>();
  readonly #ours = new Map<number, Head>();
  #tip: Head;
  #lowest: number;

  /** `known` oldest first, each the parent of the next. */
  constructor(known: readonly Head[]) {
    const tip = known.at(-1);
    if (tip === undefined) throw new RangeError('a chain starts from at least one head');
    this.#tip = tip;
    this.#lowest = known[0]!.number;
    for (const head of known) this.#keep(head);
  }

  get tip(): Head {
    return this.#tip;
  }

  /** Nothing below this block is known; walking back past it finds nothing. */
  get lowest(): number {
    return this.#lowest;
  }

  /** Our chain's block of this number, as far as it is remembered. */
  at(number: number): Head | undefined {
    return this.#ours.get(number);
  }

  isOurs({ number, hash }: BlockRef): boolean {
    return this.#ours.get(number)?.hash === hash;
  }

  /** Can this head be linked to what is known? Throws `MisfitError` when it cannot be the child of its parent. */
  links(head: Head): boolean {
    const parent = this.#seen.get(head.parentHash);
    if (parent === undefined) return false;
    const misfit = misfitOf(head, parent);
    if (misfit !== null) throw new MisfitError(head, misfit);
    return true;
  }

  /** Makes this head the tip. Its parent must be known (`links`); returns false for a block of our chain, which changes nothing. */
  accept(head: Head): boolean {
    if (this.isOurs(head)) return false;
    if (!this.links(head)) throw new RangeError(`block ${head.number} does not link`);
    const branch: Head[] = [head];
    for (let at = this.#seen.get(head.parentHash)!; !this.isOurs(at); at = this.#seen.get(at.parentHash)!) branch.push(at);
    for (let number = branch.at(-1)!.number; number <= this.#tip.number; number++) this.#ours.delete(number);
    for (const block of branch) this.#keep(block);
    this.#tip = head;
    this.#forget();
    return true;
  }

  /** The way from a block to the tip: `removed` newest first, `added` oldest first. Null when there is none within memory. */
  path(from: BlockRef): { removed: Head[]; added: Head[] } | null {
    const removed: Head[] = [];
    let at = this.#seen.get(from.hash);
    for (; at !== undefined && !this.isOurs(at); at = this.#seen.get(at.parentHash)) removed.push(at);
    if (at === undefined) return null;
    const added: Head[] = [];
    for (let number = at.number + 1; number <= this.#tip.number; number++) added.push(this.#ours.get(number)!);
    return { removed, added };
  }

  #keep(head: Head): void {
    this.#seen.set(head.hash, head);
    this.#ours.set(head.number, head);
  }

  #forget(): void {
    const oldest = this.#tip.number - REMEMBERED;
    if (this.#seen.size <= REMEMBERED * 2) return;
    this.#lowest = Math.max(this.#lowest, oldest);
    for (const { hash, number } of this.#seen.values()) if (number < oldest) this.#seen.delete(hash);
    for (const number of this.#ours.keys()) if (number < oldest) this.#ours.delete(number);
  }
}
