/** The market's history from a node on this machine: how many events a second come in, checked and in order. */
import { parseAbi } from 'viem';
import { backfill } from '../../src/chain/backfill.ts';
import { mergeFilters } from '../../src/chain/filters.ts';
import { type Bench, medianMs, type Result } from './result.ts';
import { mirrored, openScene } from './scene.ts';

const RUNS = 5;

const events = parseAbi([
  'event Transfer(address indexed from, address indexed to, uint256 value)',
  'event BalanceTransfer(address indexed from, address indexed to, uint256 value, uint256 index)',
  'event Mint(address indexed caller, address indexed onBehalfOf, uint256 value, uint256 balanceIncrease, uint256 index)',
  'event Burn(address indexed from, address indexed target, uint256 value, uint256 balanceIncrease, uint256 index)',
  'event Supply(address indexed reserve, address user, address indexed onBehalfOf, uint256 amount, uint16 indexed referralCode)',
  'event Borrow(address indexed reserve, address user, address indexed onBehalfOf, uint256 amount, uint8 interestRateMode, uint256 borrowRate, uint16 indexed referralCode)',
  'event ReserveDataUpdated(address indexed reserve, uint256 liquidityRate, uint256 stableBorrowRate, uint256 variableBorrowRate, uint256 liquidityIndex, uint256 variableBorrowIndex)',
  'event ReserveUsedAsCollateralEnabled(address indexed reserve, address indexed user)',
]);

async function run(): Promise<Result[]> {
  const scene = await openScene();
  const { world, market } = await mirrored(scene);
  const last = world.head.number;
  const filters = mergeFilters(market.filters());
  const address = filters.flatMap(({ addresses }) => addresses ?? []);
  let ours = 0;
  const oursMs = await medianMs(RUNS, async () => {
    ours = 0;
    await backfill(scene.rpc, 1, last, filters, (logs) => {
      ours += logs.length;
    });
  });
  let theirs = 0;
  const range = { address, fromBlock: 1n, toBlock: BigInt(last) };
  const plainMs = await medianMs(RUNS, async () => {
    theirs = (await scene.viem.getLogs(range)).length;
  });
  let decoded = 0;
  const decodedMs = await medianMs(RUNS, async () => {
    decoded = (await scene.viem.getLogs({ ...range, events })).length;
  });
  return [
    {
      name: 'log backfill',
      ours: (ours / oursMs) * 1_000,
      unit: 'events/s',
      peers: [
        { name: 'viem getLogs', value: (theirs / plainMs) * 1_000 },
        { name: 'viem getLogs, decoded', value: (decoded / decodedMs) * 1_000 },
      ],
      notes: `${ours} events of one market over ${last} blocks, each checked; anvil serves them on the same cores`,
    },
  ];
}

export const logs: Bench = { name: 'logs', about: 'a market’s history', run };
