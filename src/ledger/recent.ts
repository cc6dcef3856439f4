/** Answers that hold until something is written: what the last block has asked, a price update need not wait for. */
export class Recent {
  readonly #answers = new Map<string, { readonly argument: unknown; readonly answer: Promise<unknown> }>();

  /** The answer to the same question, or a new one, which takes the place of the one before it. */
  ask<T>(question: string, argument: unknown, work: () => Promise<T>): Promise<T> {
    const known = this.#answers.get(question);
    if (known !== undefined && known.argument === argument) return known.answer as Promise<T>;
    const answer = work();
    const entry = { argument, answer };
    this.#answers.set(question, entry);
    answer.catch(() => {
      if (this.#answers.get(question) === entry) this.#answers.delete(question);
    });
    return answer;
  }

  forget(): void {
    this.#answers.clear();
  }
}
