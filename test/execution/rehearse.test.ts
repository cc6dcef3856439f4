import { expect, test } from 'vitest';
import { NO_SURCHARGE } from '../../src/chain/rollup.ts';
import { rehearse } from '../../src/execution/rehearse.ts';
import type { ExecutionChain, SimulatedCall } from '../../src/execution/types.ts';
import type { Address, Head } from '../../src/lib/types.ts';
import type { Moment } from '../../src/oracles/types.ts';
import { packOne, packTransactions } from '../../src/strategy/packing.ts';
import { type Terms, TRANSACTION_GAS } from '../../src/strategy/terms.ts';
import type { Plan } from '../../src/strategy/types.ts';

const ETHER = 10n ** 18n;
const EXECUTOR: Address = `0x${'ee'.repeat(20)}`;
const SENDER: Address = `0x${'5e'.repeat(20)}`;
const GAS = 400_000n;

const targetOf = (number: number): Address => `0x${(0xf00d_0000 + number).toString(16).padStart(40, '0')}`;

/** Each calls a contract of its own, and is worth more than those before. */
function plan(number: number): Plan {
  const surplusWei = BigInt(number + 10) * ETHER;
  return {
    ...{
      candidate: { account: targetOf(number) },
      steps: [{ kind: 'call', target: targetOf(number), valueWei: 0n, data: '0x' }],
      sweep: [],
    },
    ...{ grossWei: surplusWei, gasWei: 0n, profitWei: surplusWei, gasUnits: TRANSACTION_GAS + GAS },
  } as unknown as Plan;
}

const TERMS = {
  ...{ numeraire: EXECUTOR, executor: EXECUTOR, minProfitUsd8: 1n, numeraireUsd8: 100_000_000n, gasPriceWei: 1n, surcharge: NO_SURCHARGE },
  ...{ maxTransactionGas: 16_000_000n, maxBlockGas: 60_000_000n, bid: () => 0 },
} as unknown as Terms;

/** A node on which whatever touches one of these contracts reverts as a whole. */
const chainDouble = (bad: readonly Address[]) =>
  ({
    surcharges: async (all: readonly unknown[]) => all.map(() => NO_SURCHARGE),
    simulate: async (calls: readonly SimulatedCall[]) => ({
      kind: 'done',
      calls: calls.map(({ data }) => ({ ok: !bad.some((one) => data.includes(one.slice(2))), gasUsed: GAS, logs: [], returnData: '0x' })),
    }),
  }) as unknown as ExecutionChain;

test.each([
  ['transactions', packTransactions],
  ['one transaction', packOne],
] as const)('in %s, plans that make it fail whole are found, and take nobody with them', async (_, pack) => {
  const plans = Array.from({ length: 12 }, (_, number) => plan(number));
  const bad = [plans[3]!, plans[11]!];
  const chain = chainDouble(bad.map(({ candidate }) => candidate.account));
  const head = { number: 7 } as Head;
  const { transactions, failed } = await rehearse(plans, chain, TERMS, SENDER, head, { timestamp: 1, baseFeeWei: 1n } as Moment, 8, pack);
  expect(failed.map(({ plan: one }) => one)).toEqual(bad);
  expect(transactions.map(({ plans: own }) => own.map(({ candidate }) => candidate.account))).toEqual([
    plans.filter((one) => !bad.includes(one)).map(({ candidate }) => candidate.account),
  ]);
});
