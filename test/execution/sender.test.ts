import { expect, it, onTestFinished } from 'vitest';
import { flashbotsRelay } from '../../src/execution/relays/flashbots.ts';
import { Sender } from '../../src/execution/sender.ts';
import type { ExecutionChain, RelayBundle } from '../../src/execution/types.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import type { Ledger } from '../../src/ledger/types.ts';
import { transaction } from '../ledger/fixtures-plain.ts';
import { listen } from '../support/listening-relay.ts';

/** A relay, and the bundles that it was sent, in their order. */
async function listeningRelay() {
  const { url, heard } = await listen();
  const bundles = (): string[][] => heard.map(({ body }) => JSON.parse(body).params[0].txs);
  return { bundles, relay: flashbotsRelay({ url, authKey: `0x${'11'.repeat(32)}`, chainId: 7_777, timeoutMs: 20_000 }) };
}

/** A ledger on a disk that answers when it is told to. */
class HeldLedgerDouble {
  readonly #disk = Promise.withResolvers<void>();
  readonly #asked = Promise.withResolvers<void>();
  readonly asked = this.#asked.promise;
  readonly ledger: Ledger;

  constructor(real: Ledger) {
    this.ledger = new Proxy(real, {
      get: (target, name) => {
        if (name !== 'intend') return (Reflect.get(target, name, target) as () => unknown).bind(target);
        return async (...given: Parameters<Ledger['intend']>) => {
          await target.intend(...given);
          this.#asked.resolve();
          await this.#disk.promise;
        };
      },
    });
  }

  answers(error?: Error): void {
    if (error === undefined) this.#disk.resolve();
    else this.#disk.reject(error);
  }
}

async function stage() {
  const { bundles, relay } = await listeningRelay();
  const real = await openLedger(':memory:');
  onTestFinished(() => real.close());
  const held = new HeldLedgerDouble(real);
  const handedOver: (readonly string[])[] = [];
  const watched = {
    ...relay,
    send(bundle: RelayBundle) {
      handedOver.push(bundle.txs);
      return relay.send(bundle);
    },
  };
  const sender = new Sender({ owner: undefined, relays: [watched], chain: {} as ExecutionChain, ledger: held.ledger });
  const own = transaction(1);
  const uuid = '5f3c2e9a-8a35-4c51-9f0b-0a1b2c3d4e5f';
  const deliveries = [
    { kind: 'bundle', before: ['0x02cc'], uuid },
    { kind: 'bundle', before: [], uuid },
  ] as const;
  return {
    bundles,
    handedOver,
    held,
    own,
    relay,
    send: () => sender.sendBackruns([{ signed: [own], deliveries }], [own], own.targetBlock),
  };
}

it('no byte of a backrun leaves before its intent is durable; then the first delivery goes first', async () => {
  const { bundles, handedOver, held, own, relay, send } = await stage();
  const sending = send();
  await held.asked;
  // Whatever had been sent by now would be at the relay before this.
  await relay.send({ txs: ['0x02dd'], targetBlock: 1, replacementUuid: '' });
  expect(bundles()).toEqual([['0x02dd']]);
  held.answers();
  expect((await sending).map(({ answer }) => answer)).toEqual(['accepted', 'accepted']);
  expect(handedOver).toEqual([['0x02cc', own.raw], [own.raw]]);
  expect(bundles()).toHaveLength(3);
});

it('of a backrun whose intent failed nothing leaves', async () => {
  const { bundles, held, relay, send } = await stage();
  const sending = send().catch((error: unknown) => error);
  await held.asked;
  held.answers(new Error('the disk is full'));
  expect(await sending).toMatchObject({ message: 'the disk is full' });
  await relay.send({ txs: ['0x02dd'], targetBlock: 1, replacementUuid: '' });
  expect(bundles()).toEqual([['0x02dd']]);
});
