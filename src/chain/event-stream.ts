/** Takes apart `text/event-stream` (WHATWG HTML, 9.2.6): the data of each event. Other fields and comments carry nothing that is used here. */
export class EventStreamParser {
  readonly #maxChars: number;
  readonly #onData: (data: string) => void;
  #rest = '';
  #data: string[] = [];
  #chars = 0;
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
    for (const [place, line] of lines.entries()) {
      if (place === lines.length - 1) this.#keep(line);
      else this.#line(this.#whole(line));
    }
  }

  #keep(part: string): void {
    this.#chars += part.length;
    if (this.#chars <= this.#maxChars) this.#rest += part;
  }

  #whole(lastPart: string): string {
    this.#keep(lastPart);
    const line = this.#rest;
    this.#rest = '';
    return line;
  }

  #line(line: string): void {
    if (line === '') {
      const fits = this.#chars <= this.#maxChars;
      if (fits && this.#data.length > 0) this.#onData(this.#data.join('\n'));
      this.#data = [];
      this.#chars = 0;
    } else if (line.startsWith('data:') && this.#chars <= this.#maxChars) this.#data.push(line.slice(line[5] === ' ' ? 6 : 5));
  }
}
