import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SLOT_SECONDS } from '../../scripts/devnet/anvil.ts';
import { type Devnet, startDevnet } from '../../scripts/devnet/devnet.ts';
import { transmit } from '../../scripts/devnet/oracle/transmit.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';

const MAIN = fileURLToPath(new URL('../../scripts/devnet/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'devnet-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('startDevnet', () => {
  let devnet: Devnet;
  const deploymentsFile = join(folder, 'deployments.json');
  beforeAll(async () => {
    devnet = await startDevnet({ positions: 10, seed: 3, hold: true, deploymentsFile });
  }, 120_000);
  afterAll(() => devnet?.stop());

  it('writes its address book', () => {
    expect(JSON.parse(readFileSync(deploymentsFile, 'utf8'))).toEqual(devnet.deployments);
  });

  it('seals a transmission in the next slot, twelve seconds of chain time later', async () => {
    const parent = await rpc<{ number: string; timestamp: string }>(devnet.rpcUrl, 'eth_getBlockByNumber', ['latest', false]);
    const hash = await transmit(devnet.rpcUrl, devnet.market.feeds['ETH / USD']!, 2_900_00000000n);
    const block = await devnet.builder.seal();
    expect(block.number).toBe(Number(parent.number) + 1);
    expect(block.timestamp).toBe(Number(parent.timestamp) + SLOT_SECONDS);
    expect(block.txs).toContain(hash);
  });

  it('has funded accounts', async () => {
    const { keeper, competitor, arbitrageur, lanes } = devnet.accounts;
    for (const { address } of [keeper, competitor, arbitrageur, ...lanes]) {
      expect(BigInt(await rpc<string>(devnet.rpcUrl, 'eth_getBalance', [address, 'latest']))).toBe(100n * 10n ** 18n);
    }
  });

  it('says so when its chain dies', async () => {
    const other = await startDevnet({ positions: 0, hold: true });
    const chainPid = other.chainPid;
    process.kill(chainPid, 'SIGKILL');
    expect(await other.died).toMatch(/anvil ended \(SIGKILL\)/);
    await other.stop();
    expect(alive(other.builder.pid)).toBe(false);
  }, 60_000);
});

describe('npm run devnet', () => {
  const running: ChildProcess[] = [];
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });
  const start = (...flags: string[]) => {
    const child = spawn(process.execPath, [MAIN, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
    running.push(child);
    const seen = { out: '', err: '' };
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      seen.out += text;
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      seen.err += text;
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
    const printed = (text: string) =>
      new Promise<string>((resolve, reject) => {
        child.stdout!.on('data', () => seen.out.includes(text) && resolve(seen.out));
        ended.then(() => reject(new Error(`ended early: ${seen.err}`)));
      });
    return { child, seen, ended, printed };
  };
  const small = ['--positions', '2', '--port', '0', '--builder-port', '0', '--slot-ms', '100'];
  const closed = async (url: string) => {
    while (await rpc(url, 'eth_chainId').catch(() => undefined)) await new Promise(setImmediate);
  };

  it('explains itself', async () => {
    const { ended, seen } = start('--help');
    expect(await ended).toBe(0);
    expect(seen.out).toContain('--slot-ms MS');
  }, 30_000);

  it.each([
    ['--positions', 'many'],
    ['--slot-ms', '0'],
    ['--seed', ''],
    ['--port', '70000'],
    ['--frobnicate', '1'],
  ])(
    'refuses %s %s in one line',
    async (flag, value) => {
      const { ended, seen } = start(flag, value);
      expect(await ended).toBe(2);
      expect(seen.err).toMatch(new RegExp(`^error: .*${flag}.*\n$`));
    },
    30_000,
  );

  it('seals slots until SIGINT, then ends cleanly with everything it started', async () => {
    const { child, ended, printed } = start(...small);
    const url = /chain +(\S+)/.exec(await printed('Ctrl-C'))![1]!;
    const head = () => rpc<string>(url, 'eth_blockNumber').then(Number);
    const before = await head();
    while ((await head()) === before) await new Promise(setImmediate);
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    await closed(url);
  }, 60_000);

  it('leaves nothing behind even when it is killed', async () => {
    const { child, ended, printed } = start(...small);
    const url = /chain +(\S+)/.exec(await printed('Ctrl-C'))![1]!;
    child.kill('SIGKILL');
    await ended;
    await closed(url);
  }, 60_000);
});
