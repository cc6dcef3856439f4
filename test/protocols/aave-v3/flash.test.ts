/** The pool's flash loans through the real Executor: a liquidation paid with borrowed money. */
import { type Address, encodeDeployData, type Hex, parseAbi, parseEventLogs } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import { executorAbi, executorBytecode } from '../../../src/generated/executor.ts';
import { encodeExecute } from '../../../src/lib/encode-steps.ts';
import type { Step } from '../../../src/lib/steps.ts';
import { AaveV3Flash } from '../../../src/protocols/aave-v3/flash.ts';
import { LiquidationWorld, saidOf } from './liquidator.ts';
import { poolAbi, type Receipt, tokenAbi } from './sender.ts';

const NOBODY: Address = '0x0000000000000000000000000000000000000000';
const GAS = 12_000_000n;
const flashAbi = parseAbi([
  'event FlashLoan(address indexed target, address initiator, address indexed asset, uint256 amount, uint8 interestRateMode, uint256 premium, uint16 indexed referralCode)',
]);
const erc20Abi = parseAbi(['function balanceOf(address) view returns (uint256)']);

let world: LiquidationWorld;
let flash: AaveV3Flash;
let executor: Address;
let usdc: Address;
let weth: Address;

beforeAll(async () => {
  world = await LiquidationWorld.open({ positions: 40, seed: 7 });
  const { chain, market, setPrice } = world.fixture;
  usdc = market.tokens['USDC']!.toLowerCase() as Address;
  weth = market.tokens['WETH']!.toLowerCase() as Address;
  const data = encodeDeployData({ abi: executorAbi, bytecode: executorBytecode, args: [weth, chain.deployer.address, NOBODY, []] });
  executor = (await transact({ from: chain.deployer.address, data })).contractAddress!;
  await setPrice('ETH / USD', 2_700_00000000n);
  await world.follower.advance();
  flash = new AaveV3Flash(world.follower.market);
});
afterAll(async () => {
  await world?.fixture.stop();
});

const held = (token: Address, holder: Address) => world.fixture.chain.read<bigint>(token, erc20Abi, 'balanceOf', [holder]);

async function transact(transaction: { from: Address; to?: Address; data: Hex }): Promise<Receipt> {
  await rpc(world.sender.url, 'eth_sendTransaction', [{ ...transaction, gas: `0x${GAS.toString(16)}` }]);
  return (await world.sender.mine()).receipts.at(-1)!;
}

async function execute(steps: readonly Step[]) {
  const { deployer } = world.fixture.chain;
  const bounds = { minProfitRaw: 0n, gasCostRaw: 0n, bidBps: 0, lastBlock: 1_000_000_000 };
  const data = encodeExecute({ numeraire: weth, ...bounds, sweep: [], groups: [{ optional: false, minProfitRaw: 0n, steps }] });
  return transact({ from: deployer.address, to: executor, data });
}

test('a liquidation is paid by a loan, to the unit', () =>
  world.undone(async () => {
    const { market } = world.follower;
    // The Executor's own money stands in for the exchange of what is seized.
    await world.sender.call(world.fixture.chain.deployer.address, usdc, tokenAbi, 'mint', [executor, 10n ** 13n]);
    await world.sender.mine();
    await world.follower.advance();
    const at = world.next();
    const offers = [...market.slots()].flatMap((slot) => market.options(slot, at));
    const option = offers.find(({ debtAsset, collateralAsset }) => debtAsset === usdc && collateralAsset === weth)!;
    const amountRaw = option.regimes.at(-1)!.maxRaw;
    const { repaidRaw, receivedRaw } = saidOf(option, amountRaw);
    const { feeRaw, lender } = flash.feeRaw(usdc, repaidRaw, [])!;
    const before = { usdc: await held(usdc, executor), weth: await held(weth, world.fixture.chain.deployer.address) };

    const receipt = await execute(
      flash.steps({ token: usdc, amountRaw: repaidRaw, feeRaw, lender }, option.steps(amountRaw, [], executor), executor),
    );
    expect(receipt.status).toBe('0x1');
    const logs = receipt.logs as Parameters<typeof parseEventLogs>[0]['logs'];
    const [lent] = parseEventLogs({ abi: flashAbi, logs });
    expect(lent?.args).toMatchObject({ amount: repaidRaw, premium: feeRaw });
    const [taken] = parseEventLogs({ abi: poolAbi, logs });
    expect(taken?.args).toMatchObject({ debtToCover: repaidRaw, liquidatedCollateralAmount: receivedRaw });
    expect(await held(usdc, executor)).toBe(before.usdc - repaidRaw - feeRaw);
    // Without a treasury of its own the owner gets the profit.
    expect(await held(weth, world.fixture.chain.deployer.address)).toBe(before.weth + receivedRaw);

    await world.follower.advance();
    expect(await world.follower.audit()).toEqual([]);
  }));

test.each([1n, 1_999n, 2_000n, 2_001n, 123_456_789_012n])('the fee of %s is the pool’s own', (amountRaw) =>
  world.undone(async () => {
    await world.sender.call(world.fixture.chain.deployer.address, usdc, tokenAbi, 'mint', [executor, 10n ** 12n]);
    await world.sender.mine();
    const { feeRaw, lender } = flash.feeRaw(usdc, amountRaw, [])!;
    const receipt = await execute(flash.steps({ token: usdc, amountRaw, feeRaw, lender }, [], executor));
    const [lent] = parseEventLogs({ abi: flashAbi, logs: receipt.logs as Parameters<typeof parseEventLogs>[0]['logs'] });
    expect(lent?.args).toMatchObject({ amount: amountRaw, premium: feeRaw });
  }),
);

test('lends what the pool has, and no more', () =>
  world.undone(async () => {
    const { availableRaw } = world.follower.market.state.byAsset.get(usdc)!;
    const { feeRaw, lender } = flash.feeRaw(usdc, availableRaw, [])!;
    expect(flash.feeRaw(usdc, availableRaw + 1n, [])).toBeUndefined();
    expect(flash.feeRaw(usdc, 1n, [lender])).toBeUndefined();
    expect(flash.feeRaw(executor, 1n, [])).toBeUndefined();
    await world.sender.call(world.fixture.chain.deployer.address, usdc, tokenAbi, 'mint', [executor, 2n * feeRaw]);
    await world.sender.mine();
    const borrowing = (amountRaw: bigint) => flash.steps({ token: usdc, amountRaw, feeRaw, lender }, [], executor);
    expect((await execute(borrowing(availableRaw + 1n))).status).toBe('0x0');
    expect((await execute(borrowing(availableRaw))).status).toBe('0x1');
  }));

test('an asset that the pool does not flash-lend, or that is paused, is not lent', () =>
  world.undone(async () => {
    await world.sender.admin('setReserveFlashLoaning', [usdc, false]);
    await world.sender.admin('setReservePause', [weth, true, 0]);
    await world.sender.admin('updateFlashloanPremium', [9]);
    await world.sender.mine();
    await world.follower.advance();
    expect([flash.feeRaw(usdc, 1n, []), flash.feeRaw(weth, 1n, [])]).toEqual([undefined, undefined]);
    const dai = world.fixture.market.tokens['DAI']!.toLowerCase() as Address;
    expect(flash.feeRaw(dai, 10_000n, [])?.feeRaw).toBe(9n);
  }));
