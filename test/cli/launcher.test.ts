import { expect, test } from 'vitest';
import { documentOf, LAUNCHER, start, temporaryDir } from './cli.ts';

/** Makes a Node say that it is an old one. */
const PRETEND = ['--import', 'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.18.1"}})'];

test.each([
  ['as it is', []],
  ['too old, so that the package’s own takes over', PRETEND],
])('the launcher works under a Node %s', async (_, flags) => {
  const env = await start(['env', '--json'], {}, { node: [...flags, LAUNCHER] }).ended;
  expect(env.code).toBe(0);
  expect(documentOf(env)).toContainEqual(expect.objectContaining({ name: 'RPC_URLS' }));
  const wrong = await start(['nonsense'], {}, { node: [...flags, LAUNCHER] }).ended;
  expect([wrong.code, wrong.stdout, wrong.stderr]).toEqual([2, '', "error: unknown command 'nonsense'\n"]);
});

test.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)('%s reaches the program behind it, whose exit code comes back', async (signal, code) => {
  // An endpoint that takes the connection and stays silent keeps `doctor` busy.
  const { createServer } = await import('node:net');
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  const { port } = silent.address() as { port: number };
  const connected = new Promise((resolve) => silent.once('connection', resolve));
  const doctor = start(['doctor'], { RPC_URLS: `http://127.0.0.1:${port}`, DATA_DIR: temporaryDir() }, { node: [...PRETEND, LAUNCHER] });
  await connected;
  doctor.process.kill(signal);
  expect((await doctor.ended).code).toBe(code);
  silent.close();
});
