import type { Address } from '../lib/types.ts';
import { bundleName } from './sender.ts';

/** Names for the bundles of one block, in order; those given first. */
export class Slots {
  readonly #owner: Address;
  readonly #targetBlock: number;
  readonly #first: number;
  readonly #given: string[];
  used: number;

  constructor(owner: Address, targetBlock: number, first: number, given: readonly string[] = []) {
    this.#owner = owner;
    this.#targetBlock = targetBlock;
    this.#first = first;
    this.#given = [...given];
    this.used = first;
  }

  next(): string {
    return this.#given.shift() ?? bundleName(this.#owner, this.#targetBlock, this.used++);
  }

  /** Names that were used before, or for what goes behind nothing, and are not now. */
  unused(before: number): readonly string[] {
    const names: string[] = this.#first === 0 ? [] : [bundleName(this.#owner, this.#targetBlock, 0)];
    for (let slot = this.used; slot < before; slot++) names.push(bundleName(this.#owner, this.#targetBlock, slot));
    return names;
  }
}

/** All subsets in the given order, the whole first and the empty one last. */
export function subsets<T>(all: readonly T[]): readonly (readonly T[])[] {
  const [first, ...others] = all;
  if (first === undefined) return [[]];
  const without = subsets(others);
  return [...without.map((rest) => [first, ...rest]), ...without];
}
