/** Turns the keeper's log into what a person watches, and keeps what the summary asks for. */
import { type Address, getAddress } from 'viem';
import type { LogLine } from './keeper.ts';
import type { Position, View } from './view.ts';

const WORST = 8;
const ANSWER_TIMEOUT_MS = 1_000;

export class Teller {
  readonly #view: View;
  /** The last reason given for leaving an account alone. */
  readonly skips = new Map<Address, string>();
  /** From a head's arrival until its block was decided. */
  readonly lagsMs: number[] = [];
  /** Resolves at the first block that the keeper has decided on. */
  readonly processedABlock: Promise<void>;
  #ready: () => void = () => {};
  #won = 0;
  #profitUsd = 0;
  #asking = false;
  dashboard = '';

  constructor(view: View) {
    this.#view = view;
    this.processedABlock = new Promise((resolve) => {
      this.#ready = resolve;
    });
  }

  hear(line: LogLine): void {
    const text = (field: string) => String(line[field] ?? '');
    const account = () => (/^0x[0-9a-fA-F]{40}$/.test(text('account')) ? getAddress(text('account')) : undefined);
    switch (line.event) {
      case 'keeper.started':
        this.dashboard = text('dashboard');
        break;
      case 'block.processed':
        this.#ready();
        this.lagsMs.push(Number(line['lagMs']));
        this.#view.status({ block: Number(line['block']), lagMs: Number(line['lagMs']) });
        void this.#askPositions();
        break;
      case 'candidate.found':
        this.#view.say('plain', `found      ${text('account')}  health ${(Number(text('healthFactorWad')) / 1e18).toFixed(4)}`);
        break;
      case 'plan.skipped': {
        const [who, reason] = [account(), text('reason')];
        // A crowd is left alone in block after block, for the same reasons.
        if (who !== undefined && this.skips.get(who) === reason) break;
        if (who !== undefined) this.skips.set(who, reason);
        this.#view.say('bad', `left alone ${text('account')}  ${reason}`);
        break;
      }
      case 'attempt.included':
        this.#won++;
        this.#profitUsd += Number(line['profitUsd'] ?? 0);
        this.#view.status({ won: this.#won, profitUsd: this.#profitUsd });
        this.#view.say(
          'good',
          `liquidated ${text('account')}  block ${text('block')}  profit ${Number(line['profitUsd'] ?? 0).toFixed(2)} USD`,
        );
        break;
      case 'attempt.missed':
      case 'attempt.reverted':
      case 'attempt.expired':
      case 'audit.mismatch':
      case 'market.suspended':
      case 'breaker.opened':
        this.#view.say('bad', `${line.event}  ${text('account')}  ${text('reason')}`);
        break;
      default:
        break;
    }
  }

  /** The worst positions, from the keeper's own API; a slow answer is not waited for. */
  async #askPositions(): Promise<void> {
    if (this.#asking || this.dashboard === '') return;
    this.#asking = true;
    try {
      const response = await fetch(new URL(`/api/positions?limit=${WORST}`, this.dashboard), {
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      const { positions } = (await response.json()) as { positions: readonly Record<string, unknown>[] };
      this.#view.positions(positions.slice(0, WORST).map(toPosition));
    } catch {
      // The picture is a block old then.
    } finally {
      this.#asking = false;
    }
  }
}

function toPosition(position: Record<string, unknown>): Position {
  const skip = position['skip'] as { reason?: string } | undefined;
  return {
    account: String(position['account']),
    healthFactor: Number(position['healthFactorWad']) / 1e18,
    debtUsd: Number(position['debtUsd'] ?? 0),
    note: skip?.reason ?? (position['liquidatable'] === true ? 'liquidating' : ''),
  };
}
