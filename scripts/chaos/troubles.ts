/** What goes wrong, one function each: it makes the trouble, lets the chain live on in it, and takes it away again. */
import { spawnSync } from 'node:child_process';
import { copyFile, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Fault, FaultProxy } from '../devnet/fault-proxy.ts';
import { POINTS } from '../soak/failpoints.ts';
import type { ChaosScene } from './scene.ts';

export type Trouble = { readonly name: string; run(scene: ChaosScene): Promise<void> };

const LEDGER = 'ledger.sqlite';
const DEEPEST_REORG = 64;
const MOST_MISSED = 5;
const MOST_BEHIND = 12;
const LOCKED_MS = 1_500;
const MOST_PROVOKED = 8;

/** The first endpoint alone, or both: then there is nobody to be trusted. */
function proxyFault(name: string, fault: (scene: ChaosScene) => Fault): readonly Trouble[] {
  const during = (pick: (scene: ChaosScene) => readonly FaultProxy[]) => async (scene: ChaosScene) => {
    for (const proxy of pick(scene)) proxy.fault = fault(scene);
    await scene.live(4);
    for (const proxy of scene.proxies) proxy.fault = { kind: 'none' };
  };
  return [
    { name: `${name}, one endpoint`, run: during(({ proxies }) => [proxies[0]]) },
    { name: `${name}, both`, run: during(({ proxies }) => proxies) },
  ];
}

const ENDPOINTS: readonly Trouble[] = [
  ...proxyFault('slow answers', ({ random }) => ({ kind: 'slow', ms: Math.round(random.between(200, 1_500)) })),
  ...proxyFault('no answers', () => ({ kind: 'silent' })),
  ...proxyFault('HTML instead of JSON', () => ({ kind: 'page', status: 502, body: '<html><body>Bad gateway</body></html>' })),
  ...proxyFault('JSON cut short', () => ({ kind: 'truncated' })),
  ...proxyFault('rate limits', () => ({ kind: 'page', status: 429, body: '{"error":"rate limit exceeded"}' })),
  ...proxyFault('another chain', () => ({ kind: 'result', results: { eth_chainId: '0x1' } })),
  ...proxyFault('pruned state', () => ({
    kind: 'error',
    methods: ['eth_call', 'eth_simulateV1'],
    code: -32000,
    message: 'missing trie node 0x00',
  })),
  ...proxyFault('no logs', () => ({ kind: 'result', results: { eth_getLogs: [] } })),
  ...proxyFault('logs left out', () => ({ kind: 'partial' })),
  ...proxyFault('logs made up', () => ({ kind: 'forged-logs' })),
  ...proxyFault('headers changed', () => ({ kind: 'forged-heads', fields: { timestamp: '0x7fffffff' } })),
  ...proxyFault('behind', ({ random }) => ({ kind: 'lag', blocks: 3 + Math.floor(random.next() * MOST_BEHIND) })),
  ...proxyFault('answers of 10 MiB', () => ({ kind: 'huge', methods: ['eth_getLogs', 'eth_call'], bytes: 10 * 1024 * 1024 })),
  ...proxyFault('no announcements', () => ({ kind: 'mute' })),
  { name: 'endpoint down, one endpoint', run: (scene) => down(scene, [scene.proxies[0]]) },
  { name: 'endpoint down, both', run: (scene) => down(scene, scene.proxies) },
];

async function down(scene: ChaosScene, proxies: readonly FaultProxy[]): Promise<void> {
  for (const proxy of proxies) await proxy.down();
  await scene.live(4);
  for (const proxy of proxies) await proxy.up();
}

const CHAIN: readonly Trouble[] = [
  {
    name: `reorganisation, 1 to ${DEEPEST_REORG} blocks`,
    async run(scene) {
      await scene.live(2);
      const depth = 1 + Math.floor(scene.random.next() ** 2 * DEEPEST_REORG);
      await scene.stage.devnet.builder.reorg(depth, scene.random.pick(['drop', 'return', 'keep']));
    },
  },
  {
    name: 'missed slots',
    async run(scene) {
      await scene.stage.devnet.builder.warp(12 * (1 + Math.floor(scene.random.between(0, MOST_MISSED))));
      await scene.live(1);
      await scene.live(2);
    },
  },
];

const PROCESS: readonly Trouble[] = [
  {
    name: 'SIGKILL at a failpoint',
    async run(scene) {
      // What bundles reach; the soak goes through all of them.
      const points = POINTS.filter((point) =>
        ['ledger.intend', 'ledger.sent', 'ledger.settle', 'ledger.decide', 'relay.send'].includes(point),
      );
      await scene.child.arm({ point: scene.random.pick(points), when: scene.random.pick(['before', 'after']), hit: 1 });
      for (let round = 0; round < MOST_PROVOKED && (await scene.alive()); round++) await scene.live(2);
      await scene.child.end('SIGKILL');
      await scene.start();
    },
  },
  {
    name: 'SIGKILL at any moment',
    async run(scene) {
      const living = scene.live(3);
      await new Promise((resolve) => setTimeout(resolve, scene.random.between(0, 250)));
      await scene.child.end('SIGKILL');
      await living;
      await scene.start();
    },
  },
  {
    name: 'disk full',
    async run(scene) {
      limitFiles(scene.child.pid, '1');
      await scene.live(4);
      if (!(await scene.alive())) throw new Error(`the keeper ended: ${(await scene.child.ended).stderr}`);
      limitFiles(scene.child.pid, 'unlimited');
    },
  },
  {
    name: 'ledger locked',
    async run(scene) {
      const other = new DatabaseSync(join(scene.stage.scene.dataDir, LEDGER));
      try {
        other.exec('BEGIN IMMEDIATE');
        await scene.live(3);
        await new Promise((resolve) => setTimeout(resolve, LOCKED_MS));
        await scene.live(1);
        other.exec('ROLLBACK');
      } finally {
        other.close();
      }
    },
  },
  {
    name: 'ledger corrupted',
    async run(scene) {
      await scene.live(1);
      await scene.child.end('SIGTERM');
      const file = join(scene.stage.scene.dataDir, LEDGER);
      await copyFile(file, `${file}.kept`);
      await damage(file);
      const refused = await scene.refusal();
      if (!/^error: .*ledger\.sqlite/m.test(refused)) throw new Error(`a damaged ledger was not named: ${refused || 'nothing was said'}`);
      for (const suffix of ['-wal', '-shm']) await rm(file + suffix, { force: true });
      await copyFile(`${file}.kept`, file);
      await scene.start();
    },
  },
];

export const TROUBLES: readonly Trouble[] = [...ENDPOINTS, ...CHAIN, ...PROCESS];

/** The process may write no file beyond so many bytes: to a database that is a disk without room. */
function limitFiles(pid: number, bytes: string): void {
  const { status, stderr, error } = spawnSync('prlimit', [`--pid=${pid}`, `--fsize=${bytes}:unlimited`], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`prlimit is needed to fill the disk: ${error?.message ?? stderr.trim()}`);
}

/** The second half of the pages becomes noise; the header stays what it was. */
async function damage(file: string): Promise<void> {
  const { size } = await stat(file);
  const handle = await open(file, 'r+');
  try {
    const noise = Buffer.alloc(Math.floor(size / 2), 0xa5);
    await handle.write(noise, 0, noise.length, size - noise.length);
  } finally {
    await handle.close();
  }
}
