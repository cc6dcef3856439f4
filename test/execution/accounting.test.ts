import fc from 'fast-check';
import { encodeAbiParameters, keccak256, pad, toHex } from 'viem';
import { describe, expect, it } from 'vitest';
import { balanceChanges, NATIVE, type Receipt, shares } from '../../src/execution/accounting.ts';
import type { Address, Hex, RawLog } from '../../src/lib/types.ts';

const keeper: Address = '0x00000000000000000000000000000000000000a1';
const executor: Address = '0x00000000000000000000000000000000000000a2';
const stranger: Address = '0x00000000000000000000000000000000000000b1';
const weth: Address = '0x00000000000000000000000000000000000000c1';
const usdc: Address = '0x00000000000000000000000000000000000000c2';

function log(token: Address, signature: string, parties: readonly Address[], amount: bigint): RawLog {
  return {
    address: token,
    topics: [keccak256(toHex(signature)), ...parties.map((party) => pad(party))],
    data: encodeAbiParameters([{ type: 'uint256' }], [amount]),
    blockNumber: 7,
    blockHash: `0x${'11'.repeat(32)}`,
    logIndex: 0,
    transactionHash: `0x${'22'.repeat(32)}`,
  };
}

const transfer = (token: Address, from: Address, to: Address, amount: bigint) =>
  log(token, 'Transfer(address,address,uint256)', [from, to], amount);

function receipt(logs: readonly RawLog[]): Receipt {
  const hash: Hex = `0x${'22'.repeat(32)}`;
  return {
    txHash: hash,
    from: keeper,
    succeeded: true,
    block: 7,
    blockHash: `0x${'11'.repeat(32)}`,
    gasUsed: 21_000n,
    gasWei: 42_000n,
    logs,
  };
}

describe('balance changes of a receipt', () => {
  const own = new Set([keeper, executor]);

  it('count what comes in and goes out, and gas', () => {
    const changes = balanceChanges(receipt([transfer(usdc, stranger, executor, 50n), transfer(usdc, executor, stranger, 20n)]), own, weth);
    expect(changes).toEqual({ [usdc]: 30n, [NATIVE]: -42_000n });
  });

  it('count what the sender unwraps as native, and what the Executor unwraps as gone to the block’s builder', () => {
    const unwrapped = (by: Address) => balanceChanges(receipt([log(weth, 'Withdrawal(address,uint256)', [by], 50_000n)]), own, weth);
    expect(unwrapped(keeper)).toEqual({ [weth]: -50_000n, [NATIVE]: 8_000n });
    expect(unwrapped(executor)).toEqual({ [weth]: -50_000n, [NATIVE]: -42_000n });
  });

  it('leave out what moves among our own addresses', () => {
    expect(balanceChanges(receipt([transfer(usdc, executor, keeper, 50n)]), own, weth)).toEqual({ [NATIVE]: -42_000n });
  });

  it('count wrapped native that is unwrapped for the bid, which has no Transfer', () => {
    const changes = balanceChanges(
      receipt([transfer(weth, stranger, executor, 100n), log(weth, 'Withdrawal(address,uint256)', [executor], 90n)]),
      own,
      weth,
    );
    expect(changes).toEqual({ [weth]: 10n, [NATIVE]: -42_000n });
  });

  it('believe a Withdrawal only of the wrapped native token itself', () => {
    expect(balanceChanges(receipt([log(usdc, 'Withdrawal(address,uint256)', [executor], 90n)]), own, weth)).toEqual({ [NATIVE]: -42_000n });
  });
});

describe('shares', () => {
  it('add up to the whole, whatever the weights', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 30n), fc.array(fc.bigInt(0n, 10n ** 24n), { minLength: 1, maxLength: 20 }), (whole, weights) => {
        const parts = shares(whole, weights);
        expect(parts.reduce((sum, part) => sum + part, 0n)).toBe(whole);
        expect(parts.every((part) => part >= 0n)).toBe(true);
      }),
      { seed: 2 },
    );
  });
});
