import { setTimeout as sleep } from 'node:timers/promises';
import type { Hex } from 'viem';
import { minedIn, type Play } from '../demo/run.ts';
import type { Update } from '../demo/summary.ts';
import { START_PRICES_USD8 } from '../devnet/assets.ts';
import type { Devnet } from '../devnet/devnet.ts';
import { sendPublicly, signTransmit } from '../devnet/oracle/transmit.ts';
import { offerPrivately } from '../devnet/private-flow.ts';
import { Prng } from '../devnet/prng.ts';

const FEEDS = ['ETH / USD', 'BTC / USD', 'LINK / USD'] as const;
/** How an update reaches the block: seen by all, or by a hint alone; one, or two at once. */
const SHAPES = [['public'], ['private'], ['public', 'public'], ['public', 'private'], ['private', 'private']] as const;
/** Share by which a price falls; now and then it rises a little. */
const FALL = [0.002, 0.009] as const;
const RISE = [0.001, 0.003] as const;
const RISES = 0.1;
/** Milliseconds before the slot seals at which the last update of a block arrives. */
const LEAD_MS = [50, 900] as const;
/** From one update to the other of a pair. */
const BETWEEN_MS = 30;

/** So many happenings, public and private, alone and in pairs, each at a moment of its own before its slot seals. */
export function fallOf(updates: number, seed: number): Play {
  return async (devnet, view, signal) => {
    const random = new Prng(seed);
    const prices = new Map(Object.entries(START_PRICES_USD8));
    const done: Update[] = [];
    for (let happened = 0; happened < updates; ) {
      if (signal.aborted) return undefined;
      const shape = SHAPES[Math.floor(random.next() * SHAPES.length)]!.slice(0, updates - happened);
      const from = Math.floor(random.next() * FEEDS.length);
      const feeds = shape.map((_, place) => FEEDS[(from + place) % FEEDS.length]!);
      const lead = random.between(...LEAD_MS);
      const reports = shape.map((_, place) => {
        const rises = random.next() < RISES;
        const [low, high] = rises ? RISE : FALL;
        const share = BigInt(Math.round(random.between(low, high) * 1e6));
        const before = prices.get(feeds[place]!)!;
        const answer = rises ? before + (before * share) / 1_000_000n : before - (before * share) / 1_000_000n;
        prices.set(feeds[place]!, answer);
        return { feed: feeds[place]!, answer };
      });
      // Signed before: what is timed is when they arrive.
      const signed = await Promise.all(reports.map(({ feed, answer }) => signTransmit(devnet.rpcUrl, devnet.market.feeds[feed]!, answer)));
      await untilBeforeSlot(devnet, lead + BETWEEN_MS * (shape.length - 1));
      const hashes = await Promise.all(
        signed.map(async ({ raw }, place) => {
          await sleep(BETWEEN_MS * place);
          return handIn(devnet, shape[place]!, raw);
        }),
      );
      happened += shape.length;
      const title = `${happened} ${shape.join(' and ')}, ${Math.round(lead)} ms before the slot`;
      view.say('price', title);
      view.status({ act: title, ether: (Number(prices.get('ETH / USD')) / 1e8).toFixed(2) });
      const blocks = await Promise.all(hashes.map((hash) => minedIn(devnet, hash)));
      for (const block of new Set(blocks)) done.push({ title, block, txHashes: hashes.filter((_, place) => blocks[place] === block) });
      await devnet.builder.waitForBlock(Math.max(...blocks) + 1);
    }
    return done;
  };
}

function handIn({ rpcUrl, builderUrl }: Devnet, way: 'public' | 'private', raw: Hex): Promise<Hex> {
  return way === 'public' ? sendPublicly(rpcUrl, raw) : offerPrivately(builderUrl, raw);
}

async function untilBeforeSlot({ builder }: Devnet, leadMs: number): Promise<void> {
  const { nextSlotMs } = await builder.status();
  if (nextSlotMs === null) throw new Error('the builder is held');
  // Too late for this slot: the next one is a second further.
  const wait = nextSlotMs >= leadMs ? nextSlotMs - leadMs : nextSlotMs + SLOT_MS - leadMs;
  await sleep(wait);
}

const SLOT_MS = 1_000;
