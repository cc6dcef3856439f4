import { RpcPool } from './chain/rpc.ts';
import type { Notify } from './chain/types.ts';
import { type AddressBook, resolveAddressBook } from './config/addressBook.ts';
import { builtInBook } from './config/builtInBook.ts';
import type { Config } from './config/config.ts';

export type Connected = { readonly rpc: RpcPool; readonly book: AddressBook };

/** The endpoints, checked to be of the chain that the operator means, and that chain's addresses. Throws ConfigError when they do not fit. */
export async function connect({ chain }: Config, notify?: Notify): Promise<Connected> {
  const rpc = await RpcPool.open(chain.rpcUrls, {
    ...(chain.chainId === undefined ? {} : { chainId: chain.chainId }),
    ...(notify === undefined ? {} : { notify }),
  });
  try {
    return { rpc, book: resolveAddressBook(rpc.chainId, chain.deployments, builtInBook(rpc.chainId)) };
  } catch (error) {
    rpc.close();
    throw error;
  }
}
