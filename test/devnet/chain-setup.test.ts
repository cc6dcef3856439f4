import { encodeFunctionData, type Hex, parseAbi } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Anvil, SLOT_SECONDS, spawnAnvil, startAnvil } from '../../scripts/devnet/anvil.ts';
import { SetupChain } from '../../scripts/devnet/chain.ts';
import { devAccount } from '../../scripts/devnet/keys.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { erc20Abi, ownContracts } from '../../scripts/devnet/tokens.ts';

let anvil: Anvil;
let chain: SetupChain;
const alice = privateKeyToAccount(`0x${'22'.repeat(32)}`);

beforeAll(async () => {
  anvil = await startAnvil();
  chain = new SetupChain(anvil.rpcUrl, devAccount('deployer'));
  await chain.prepare();
  await chain.fund([alice.address], 10n ** 20n);
}, 60_000);
afterAll(() => anvil?.stop());

type Block = { number: Hex; timestamp: Hex; transactions: { from: Hex; nonce: Hex }[] };
const block = (number: number | 'latest', full = false) =>
  rpc<Block>(anvil.rpcUrl, 'eth_getBlockByNumber', [number === 'latest' ? number : `0x${number.toString(16)}`, full]);

describe('SetupChain', () => {
  it('knows a contract’s address before it is mined', async () => {
    const { DevToken } = await ownContracts();
    const token = chain.deploy('token', DevToken!, ['Some token', 'SOME', 9]);
    await chain.mine();
    expect(await chain.read(token, parseAbi(['function decimals() view returns (uint8)']), 'decimals')).toBe(9);
  });

  it('spaces blocks by twelve seconds', async () => {
    await chain.mine();
    await chain.mine();
    const head = await block('latest');
    const parent = await block(Number(head.number) - 1);
    expect(Number(head.timestamp) - Number(parent.timestamp)).toBe(SLOT_SECONDS);
  });

  it('keeps the order of the queue over several blocks', async () => {
    const before = await chain.blockNumber();
    const gas = 11_000_000n;
    const senders = Array.from({ length: 12 }, (_, index) => (index % 3 === 0 ? chain.deployer : alice));
    for (const sender of senders) chain.send(sender, { to: alice.address, gas, label: 'filler' });
    await chain.mine();
    const after = await chain.blockNumber();
    expect(after - before).toBe(3);
    const mined: string[] = [];
    for (let number = before + 1; number <= after; number++)
      mined.push(...(await block(number, true)).transactions.map(({ from }) => from));
    expect(mined).toEqual(senders.map(({ address }) => address.toLowerCase()));
  });

  it('says which transaction reverted, and with what', async () => {
    const { DevToken } = await ownContracts();
    const token = chain.deploy('token', DevToken!, ['Some token', 'SOME', 9]);
    await chain.mine();
    const data = encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [alice.address, 1n] });
    chain.send(alice, { to: token, data, label: 'spend nothing' });
    // ERC20InsufficientBalance(address,uint256,uint256)
    await expect(chain.mine()).rejects.toThrow(/spend nothing reverted: .*0xe450d38c/);
  });

  it('refuses to send for an account that was never funded', () => {
    const stranger = privateKeyToAccount(`0x${'33'.repeat(32)}`);
    expect(() => chain.send(stranger, { to: alice.address, label: 'gift' })).toThrow(/never funded: cannot gift/);
  });
});

describe('anvil', () => {
  it('surfaces its own complaint when it cannot start', async () => {
    const port = new URL(anvil.rpcUrl).port;
    await expect(spawnAnvil(['--port', port])).rejects.toThrow(/anvil ended .*(in use|AddrInUse)/is);
  });

  it('reports its death, and is silent about a stop', async () => {
    const victim = await startAnvil();
    process.kill(victim.pid, 'SIGKILL');
    expect(await victim.died).toMatch(/anvil ended \(SIGKILL\)/);
    const stopped = await startAnvil();
    await stopped.stop();
    const outcome = await Promise.race([stopped.died, rpc(stopped.rpcUrl, 'eth_chainId').catch(() => 'unreachable')]);
    expect(outcome).toBe('unreachable');
  });
});
