/** Calls that can wait: no more than one of them is made in a block, whoever asks first. The others come in the blocks after it. */
export class Errands {
  #block: number | undefined;

  /** True for whoever may go in this block. */
  take(block: number): boolean {
    if (this.#block === block) return false;
    this.#block = block;
    return true;
  }
}
