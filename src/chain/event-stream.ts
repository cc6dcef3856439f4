/** Takes apart `text/event-stream` (WHATWG HTML, 9.2.6): the data of each event. Other fields and comments carry nothing that is used here. */
export class EventStreamParser {
  readonly #maxChars: number;
  readonly #onData: (data: string) => void;
  /** The line that has begun: as much of it as is kept, and its length. */
  #line = '';
  #lineChars = 0;
  #data: string[] = [];
  #eventChars = 0;
  #afterCr = false;

  /** @param maxChars of one event; a longer one is passed over */
  constructor(maxChars: number, onData: (data: string) => void) {
    this.#maxChars = maxChars;
    this.#onData = onData;
  }

  /** NOTE: a line may be cut anywhere between two pieces, between CR and LF too. */
  push(piece: string): void {
    let text = piece;
    if (text === '') return;
    if (this.#afterCr && text.startsWith('\n')) text = text.slice(1);
    this.#afterCr = piece.endsWith('\r');
    const lines = text.split(/\r\n|\r|\n/);
    for (const [place, part] of lines.entries()) {
      if (place > 0) this.#endLine();
      this.#keep(part);
    }
  }

  #keep(part: string): void {
    this.#lineChars += part.length;
    this.#eventChars += part.length;
    if (this.#fits) this.#line += part;
  }

  get #fits(): boolean {
    return this.#eventChars <= this.#maxChars;
  }

  #endLine(): void {
    if (this.#lineChars === 0) {
      if (this.#fits && this.#data.length > 0) this.#onData(this.#data.join('\n'));
      this.#data = [];
      this.#eventChars = 0;
    } else if (this.#fits && this.#line.startsWith('data:')) this.#data.push(this.#line.slice(this.#line[5] === ' ' ? 6 : 5));
    this.#line = '';
    this.#lineChars = 0;
  }
}
