/** What a person watches: on a terminal one screen that is drawn anew at each change, elsewhere one line a happening. */
export type Position = { readonly account: string; readonly healthFactor: number; readonly debtUsd: number; readonly note: string };

export interface View {
  status(fields: Partial<Status>): void;
  positions(worst: readonly Position[]): void;
  /** One happening. `kind` gives it its colour. */
  say(kind: 'plain' | 'good' | 'bad' | 'price', line: string): void;
  close(): void;
}
export type Status = {
  readonly act: string;
  readonly block: number;
  readonly ether: string;
  readonly won: number;
  readonly profitUsd: number;
  readonly lagMs: number;
};

const COLOUR = { plain: '0', good: '32', bad: '33', price: '36' } as const;
const KEPT_LINES = 14;
const REDRAW_MS = 100;

export function openView(out: NodeJS.WriteStream): View {
  return out.isTTY ? new Screen(out) : new Lines(out);
}

class Lines implements View {
  readonly #out: NodeJS.WriteStream;
  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }
  status(): void {}
  positions(): void {}
  say(_kind: keyof typeof COLOUR, line: string): void {
    this.#out.write(`${line}\n`);
  }
  close(): void {}
}

class Screen implements View {
  readonly #out: NodeJS.WriteStream;
  #status: Status = { act: 'starting', block: 0, ether: '', won: 0, profitUsd: 0, lagMs: 0 };
  #worst: readonly Position[] = [];
  #said: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    // The alternate screen, without a cursor: what was on the terminal comes back afterwards.
    out.write('\x1b[?1049h\x1b[?25l');
  }

  status(fields: Partial<Status>): void {
    this.#status = { ...this.#status, ...fields };
    this.#later();
  }

  positions(worst: readonly Position[]): void {
    this.#worst = worst;
    this.#later();
  }

  say(kind: keyof typeof COLOUR, line: string): void {
    this.#said = [...this.#said, `\x1b[${COLOUR[kind]}m${line}\x1b[0m`].slice(-KEPT_LINES);
    this.#later();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#out.write('\x1b[?25h\x1b[?1049l');
    this.#out.write(`${this.#said.join('\n')}\n`);
  }

  #later(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#draw();
    }, REDRAW_MS);
  }

  #draw(): void {
    const { act, block, ether, won, profitUsd, lagMs } = this.#status;
    const width = Math.max(60, Math.min(this.#out.columns ?? 100, 120));
    const lines = [
      `\x1b[1m Bailiff\x1b[0m  ${act}`,
      ` block ${block}   ETH ${ether || '-'}   liquidations ${won}   profit ${profitUsd.toFixed(2)} USD   lag ${lagMs.toFixed(0)} ms`,
      ` ${'─'.repeat(width - 2)}`,
      '\x1b[2m worst positions                                 health      debt USD\x1b[0m',
      ...this.#worst.map(
        ({ account, healthFactor, debtUsd, note }) =>
          ` ${account}  \x1b[${healthFactor < 1 ? '31' : '0'}m${healthFactor.toFixed(4).padStart(7)}\x1b[0m  ${debtUsd.toFixed(0).padStart(12)}  ${note.slice(0, Math.max(0, width - 68))}`,
      ),
      ` ${'─'.repeat(width - 2)}`,
      ...this.#said.map((line) => ` ${line}`),
    ];
    this.#out.write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\n')}\x1b[J`);
  }
}
