import { getHead } from '../../chain/actions/getHead.ts';
import type { Config } from '../../config/config.ts';
import { connect } from '../../connect.ts';
import { explainError } from '../../lib/errors.ts';
import { checkBook } from './book.ts';
import { bad, type Check } from './check.ts';
import { checkExecutor, checkGas } from './contracts.ts';
import { checkEndpoints } from './endpoints.ts';
import { checkMachine } from './local.ts';
import { checkInterest, checkPrices } from './prices.ts';
import { checkRelays } from './relays.ts';

/** Looks at all that a run depends on; sends nothing. Never throws: what could not be looked at is a check that failed. */
export async function examine(config: Config, folder: string, waitMs: number): Promise<readonly Check[]> {
  return [...checkMachine(config, folder), ...(await checkEndpoints(config, waitMs)), ...(await checkChain(config))];
}

/** What needs an endpoint that works. */
async function checkChain(config: Config): Promise<readonly Check[]> {
  try {
    const { rpc, book } = await connect(config);
    try {
      const head = await getHead(rpc, 'latest');
      return [
        ...(await checkBook(rpc, book, config.choices)),
        ...(await checkPrices(rpc, book, config.choices)),
        ...(await checkInterest(rpc, book, config.choices)),
        ...(await checkExecutor(rpc, book, config)),
        ...(await checkGas(rpc, config)),
        ...(await checkRelays(config, rpc.chainId, head.number)),
      ];
    } finally {
      rpc.close();
    }
  } catch (error) {
    return [bad('chain', explainError(error), 'mend what is said above, then look again')];
  }
}
