import { getHead } from '../../chain/actions/getHead.ts';
import { RpcPool } from '../../chain/rpc.ts';
import type { Config } from '../../config/config.ts';
import { sleep } from '../../lib/async.ts';
import { OperatorError } from '../../lib/errors.ts';
import type { SecretUrl } from '../../lib/secret.ts';
import { attempt, bad, type Check, good } from './check.ts';

const LOOK_EVERY_MS = 500;
/** An endpoint this far behind the others would feed the keeper the past. */
const MOST_BEHIND = 3;

type Seen = { readonly check: Check; readonly chainId?: number; readonly head?: number };

/** Each endpoint by itself: is it there, of the right chain, does its head move, is it behind the others. */
export async function checkEndpoints({ chain }: Config, waitMs: number): Promise<readonly Check[]> {
  const expected = chain.chainId ?? chain.deployments?.chainId;
  const seen = await Promise.all(chain.rpcUrls.map((url, index) => look(url, nameOf(url, index), waitMs)));
  const chainId = expected ?? seen.find((each) => each.chainId !== undefined)?.chainId;
  const newest = Math.max(...seen.filter((each) => each.chainId === chainId).map((each) => each.head ?? 0));
  return seen.map((each, index) => {
    const name = nameOf(chain.rpcUrls[index]!, index);
    if (each.chainId === undefined) return each.check;
    if (each.chainId !== chainId)
      return bad(
        name,
        `serves chain ${each.chainId}, expected ${chainId}`,
        'take it out of RPC_URLS, or mend CHAIN_ID or DEPLOYMENTS_FILE',
      );
    const behind = newest - (each.head ?? 0);
    if (each.check.ok && behind > MOST_BEHIND)
      return bad(name, `is ${behind} blocks behind the others`, 'replace it, or put it last in RPC_URLS');
    return each.check;
  });
}

async function look(url: SecretUrl, name: string, waitMs: number): Promise<Seen> {
  let chainId: number | undefined;
  let head: number | undefined;
  const check = await attempt(name, 'check the URL, its key and that the node is up', async () => {
    const rpc = await RpcPool.open([url]).catch((error: unknown) => {
      // The pool lists every host that failed; here there is one, and the check has its name.
      throw error instanceof OperatorError ? new OperatorError(error.message.replace(/^.*?: /, '')) : error;
    });
    try {
      chainId = rpc.chainId;
      const first = (await getHead(rpc, 'latest')).number;
      head = first;
      const until = performance.now() + waitMs;
      while (head === first && performance.now() < until) {
        await sleep(LOOK_EVERY_MS);
        head = (await getHead(rpc, 'latest')).number;
      }
      if (head === first)
        return bad(
          name,
          `its head stood still at block ${head} for ${waitMs / 1_000} s`,
          'see whether the node is synced, or wait longer (--wait)',
        );
      return good(name, `chain ${chainId}, head moved to ${head}`);
    } finally {
      rpc.close();
    }
  });
  return { check, ...(chainId !== undefined && { chainId }), ...(head !== undefined && { head }) };
}

function nameOf(url: SecretUrl, index: number): string {
  return `endpoint ${index + 1} (${url.protocol}//${url.host})`;
}
