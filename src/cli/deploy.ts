import { encodeDeployData, formatEther, getAddress, keccak256, zeroAddress } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { getBalance, getCode, getTransactionCount } from '../chain/actions/account.ts';
import { getMaxPriorityFee } from '../chain/actions/fees.ts';
import { getHead } from '../chain/actions/getHead.ts';
import { estimateGas } from '../chain/actions/simulate.ts';
import { getReceipt, type Receipt, sendRawTransaction } from '../chain/actions/transactions.ts';
import { RpcError } from '../chain/errors.ts';
import type { Rpc } from '../chain/types.ts';
import type { Config } from '../config/config.ts';
import { type Connected, connect } from '../connect.ts';
import { executorAbi, executorBytecode } from '../generated/executor.ts';
import { sleep } from '../lib/async.ts';
import { explainError, OperatorError } from '../lib/errors.ts';
import type { Address, Hex } from '../lib/types.ts';
import type { DeployDocument } from './shapes.ts';

const LOOK_EVERY_MS = 500;
/** Room over the estimate, whose state is a block older. */
const GAS_MARGIN_PERCENT = 120n;
const USUAL_TIP_WEI = 10n ** 9n;

/** Deploys the Executor through RPC_URLS and waits until it is mined. Throws OperatorError with what is in the way. */
export async function deployExecutor(config: Config, owner: Address | undefined, timeoutSeconds: number): Promise<DeployDocument> {
  const connected = await connect(config);
  try {
    return await deploy(config, connected, owner, timeoutSeconds);
  } finally {
    connected.rpc.close();
  }
}

async function deploy(
  config: Config,
  { rpc, book }: Connected,
  owner: Address | undefined,
  timeoutSeconds: number,
): Promise<DeployDocument> {
  const key = config.keys.keeper;
  if (key === undefined) throw new OperatorError('KEEPER_PRIVATE_KEY: required to deploy');
  const account = privateKeyToAccount(key.reveal());
  const keeper = lower(account.address);
  const chosenOwner = owner ?? keeper;
  const lanes = config.keys.lanes.map((lane) => lower(privateKeyToAccount(lane.reveal()).address));
  // An owner may send; who is neither owner nor operator may not, and a keeper that cannot send is of no use.
  const operators = chosenOwner === keeper ? lanes : [keeper, ...lanes];
  if ((await getCode(rpc, book.wrappedNative)) === '0x')
    throw new OperatorError(
      `no contract at ${getAddress(book.wrappedNative)}, the wrapped native token of ${book.name}: mend DEPLOYMENTS_FILE`,
    );

  // The Executor sends profit to its owner, whoever that is, while its treasury is zero.
  const treasury = config.treasury ?? zeroAddress;
  const data = encodeDeployData({
    abi: executorAbi,
    bytecode: executorBytecode,
    args: [book.wrappedNative, chosenOwner, treasury, operators],
  });
  const terms = await termsOf(rpc, keeper, data);
  const raw = await account.signTransaction({
    type: 'eip1559',
    chainId: rpc.chainId,
    nonce: await getTransactionCount(rpc, keeper, 'pending'),
    gas: terms.gas,
    maxFeePerGas: terms.maxFeeWei,
    maxPriorityFeePerGas: terms.tipWei,
    data,
  });
  const receipt = await sendAndWait(rpc, raw, timeoutSeconds);
  if (receipt.status !== 'success' || receipt.contractAddress === null)
    throw new OperatorError(`the deployment ${receipt.transactionHash} was mined in block ${receipt.blockNumber} and reverted`);
  if ((await getCode(rpc, receipt.contractAddress, { number: receipt.blockNumber })) === '0x')
    throw new OperatorError(`the deployment ${receipt.transactionHash} left no code at ${getAddress(receipt.contractAddress)}`);
  return {
    executor: getAddress(receipt.contractAddress),
    owner: getAddress(chosenOwner),
    txHash: receipt.transactionHash,
    block: receipt.blockNumber,
    chainId: rpc.chainId,
    operators: operators.map((operator) => getAddress(operator)),
    treasury: getAddress(config.treasury ?? chosenOwner),
    wrappedNative: getAddress(book.wrappedNative),
  };
}

async function termsOf(
  rpc: Rpc,
  from: Address,
  data: Hex,
): Promise<{ readonly gas: bigint; readonly maxFeeWei: bigint; readonly tipWei: bigint }> {
  const [head, balance, suggested] = await Promise.all([
    getHead(rpc, 'latest'),
    getBalance(rpc, from),
    getMaxPriorityFee(rpc).catch((error: unknown) => {
      if (error instanceof RpcError && error.kind === 'unsupported') return USUAL_TIP_WEI;
      throw error;
    }),
  ]);
  const gas = ((await estimateGas(rpc, { from, to: null, data })) * GAS_MARGIN_PERCENT) / 100n;
  const leastFeeWei = head.baseFeeWei + suggested;
  if (balance < gas * leastFeeWei)
    throw new OperatorError(
      `the keeper's key ${getAddress(from)} holds ${formatEther(balance)}, deploying takes up to ${formatEther(gas * leastFeeWei)}: send it gas`,
    );
  const affordable = balance / gas;
  const wished = head.baseFeeWei * 2n + suggested;
  return { gas, maxFeeWei: wished < affordable ? wished : affordable, tipWei: suggested };
}

/** Polls the receipt itself, for as long as told; endpoints that lag or fail in between cost only time. */
async function sendAndWait(rpc: Rpc, raw: Hex, seconds: number): Promise<Receipt> {
  const txHash = keccak256(raw);
  try {
    await sendRawTransaction(rpc, raw);
  } catch (error) {
    // Another endpoint may have taken it already; whether it has, the receipt tells.
    if (!/already known|known transaction|already imported/i.test(explainError(error))) throw error;
  }
  const until = performance.now() + seconds * 1_000;
  let lastFault: unknown;
  while (performance.now() < until) {
    try {
      const receipt = await getReceipt(rpc, txHash);
      if (receipt !== null) return receipt;
    } catch (error) {
      lastFault = error;
    }
    await sleep(LOOK_EVERY_MS);
  }
  const fault = lastFault === undefined ? '' : ` (${explainError(lastFault)})`;
  throw new OperatorError(`the deployment ${txHash} was sent and not mined within ${seconds} s${fault}: look it up before deploying again`);
}

function lower(address: Address): Address {
  return address.toLowerCase() as Address;
}
