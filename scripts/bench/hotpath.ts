/**
 * From the message that announces a pending price update to the signed bundle behind it on its way to the relay, stage by stage: the keeper's own parts, put
 * together as it does, with many accounts and one of them to liquidate. The time ends when the bundle with the update in it is handed to the socket; what the
 * bundle without it takes after that is told apart. The node has no say in it: what it is asked meanwhile is asked beside.
 */

import { privateKeyToAccount } from 'viem/accounts';
import { HotScene } from './hot-scene.ts';
import { LATER_STAGES, type Laps, STAGES } from './laps.ts';
import { type Bench, type Choice, medianMs, quantile, type Result } from './result.ts';

const ACCOUNTS = 100_000;
const WARM_UP = 60;
const RUNS = 300;
const SIGNATURES = 200;
const KEY = `0x${'11'.repeat(32)}` as const;
const SIGNER = privateKeyToAccount(KEY);
const NOBODY = `0x${'22'.repeat(20)}` as const;

async function run({ accounts = ACCOUNTS }: Choice): Promise<Result[]> {
  await using scene = await HotScene.open(accounts);
  const messages = await scene.messages(WARM_UP + RUNS);
  const all: Laps[] = [];
  for (const [turn, message] of messages.entries()) {
    const laps = await scene.play(message, turn);
    if (turn >= WARM_UP) all.push(laps);
  }
  const viem = await medianMs(SIGNATURES, signWithViem, WARM_UP);
  const totals = all.map(({ totalMs }) => totalMs);
  const stages = [...STAGES, ...LATER_STAGES].map((stage) => ({ stage, times: all.map((laps) => laps.ms(stage)) }));
  const figures = Object.fromEntries(
    stages.flatMap(({ stage, times }) => [
      [`${stage} p50`, quantile(times, 0.5)],
      [`${stage} p99`, quantile(times, 0.99)],
    ]),
  );
  const label = accounts.toLocaleString('en-US');
  return [
    {
      name: `pending update -> signed bundle written, ${label} accounts`,
      ours: quantile(totals, 0.5),
      unit: 'ms',
      notes: `p99 ${quantile(totals, 0.99).toFixed(2)} ms; one candidate, ${RUNS} updates; with the update in it; its parts follow, and the bundle without it`,
      figures: { accounts, p99: quantile(totals, 0.99), ...figures },
    },
    ...stages.map(({ stage, times }) => ({
      name: `  ${stage}`,
      ours: quantile(times, 0.5),
      unit: 'ms',
      ...(stage === 'sign' && { peers: [{ name: 'viem', value: viem }] }),
      notes: `p99 ${quantile(times, 0.99).toFixed(2)} ms`,
    })),
  ];
}

/** How fast the machine is just now: 0.28 ms where nothing else goes on. */
function signWithViem(): Promise<string> {
  const data = `0x${'5a'.repeat(1_400)}` as const;
  return SIGNER.signTransaction({ type: 'eip1559', chainId: 1, nonce: 1, to: NOBODY, data, gas: 900_000n });
}

export const hotpath: Bench = { name: 'hotpath', about: 'a pending update, from its message to the signed bundle on the wire', run };
