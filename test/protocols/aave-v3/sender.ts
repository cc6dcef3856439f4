/** Sends transactions in anybody's name; unlike the devnet's own set-up they may revert. */
import { type Abi, type Address, encodeFunctionData, type Hex, parseAbi } from 'viem';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import type { Scene } from './scene.ts';

export const poolAbi = parseAbi([
  'function supply(address asset, uint256 amount, address onBehalfOf, uint16 referralCode)',
  'function withdraw(address asset, uint256 amount, address to)',
  'function borrow(address asset, uint256 amount, uint256 interestRateMode, uint16 referralCode, address onBehalfOf)',
  'function repay(address asset, uint256 amount, uint256 interestRateMode, address onBehalfOf)',
  'function repayWithATokens(address asset, uint256 amount, uint256 interestRateMode)',
  'function setUserUseReserveAsCollateral(address asset, bool useAsCollateral)',
  'function setUserEMode(uint8 categoryId)',
  'function liquidationCall(address collateralAsset, address debtAsset, address borrower, uint256 debtToCover, bool receiveAToken)',
  'function mintToTreasury(address[] assets)',
  // 3.0 and 3.1
  'function swapBorrowRateMode(address asset, uint256 interestRateMode)',
  'function rebalanceStableBorrowRate(address asset, address user)',
  'event LiquidationCall(address indexed collateralAsset, address indexed debtAsset, address indexed user, uint256 debtToCover, uint256 liquidatedCollateralAmount, address liquidator, bool receiveAToken)',
]);
export const tokenAbi = parseAbi([
  'function mint(address to, uint256 amount)',
  'function deposit() payable',
  'function approve(address spender, uint256 amount)',
  'function transfer(address to, uint256 amount)',
]);

export type Receipt = {
  status: Hex;
  gasUsed: Hex;
  transactionHash: Hex;
  contractAddress: Address | null;
  logs: { address: Address; topics: [Hex, ...Hex[]]; data: Hex }[];
};

const GAS = '0x2dc6c0';
const MAX_UINT256 = 2n ** 256n - 1n;

export class Sender {
  readonly #scene: Scene;
  readonly #sent: { hash: Hex; label: string }[] = [];

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  get url(): string {
    return this.#scene.anvil.rpcUrl;
  }

  async open(): Promise<void> {
    await rpc(this.url, 'anvil_autoImpersonateAccount', [true]);
  }

  async send(from: Address, to: Address, data: Hex, label: string, value = 0n): Promise<void> {
    const transaction = { from, to, data, gas: GAS, value: `0x${value.toString(16)}` };
    this.#sent.push({ hash: await rpc<Hex>(this.url, 'eth_sendTransaction', [transaction]), label });
  }

  call(from: Address, to: Address, abi: Abi, functionName: string, args: readonly unknown[]): Promise<void> {
    return this.send(from, to, encodeFunctionData({ abi, functionName, args: [...args] }), functionName);
  }

  pool(from: Address, functionName: string, args: readonly unknown[]): Promise<void> {
    return this.call(from, this.#scene.market.aave.pool, poolAbi, functionName, args);
  }

  admin(functionName: string, args: readonly unknown[]): Promise<void> {
    const { aave } = this.#scene.market;
    return this.call(this.#scene.chain.deployer.address, aave.poolConfigurator, aave.configuratorAbi, functionName, args);
  }

  /** Mines what was sent, in one block. Returns by label how many went through, and all receipts. */
  async mine(): Promise<{ done: Map<string, number>; receipts: Receipt[] }> {
    await rpc(this.url, 'evm_mine');
    const receipts = await rpc<Receipt[]>(this.url, 'eth_getBlockReceipts', ['latest']);
    const done = new Map<string, number>();
    for (const { hash, label } of this.#sent.splice(0)) {
      if (receipts.find(({ transactionHash }) => transactionHash === hash)?.status === '0x1') done.set(label, (done.get(label) ?? 0) + 1);
    }
    return { done, receipts };
  }

  /** Plenty of every token, and allowances for the pool. */
  async enrich(account: Address): Promise<void> {
    const { tokens, aave } = this.#scene.market;
    const owner = this.#scene.chain.deployer.address;
    await rpc(this.url, 'anvil_setBalance', [account, `0x${(10n ** 26n).toString(16)}`]);
    for (const [symbol, token] of Object.entries(tokens)) {
      const units = 10n ** (symbol === 'USDC' ? 6n : symbol === 'WBTC' ? 8n : 18n);
      if (symbol === 'WETH')
        await this.send(account, token, encodeFunctionData({ abi: tokenAbi, functionName: 'deposit' }), 'deposit', 10_000_000n * units);
      else await this.call(owner, token, tokenAbi, 'mint', [account, 100_000_000n * units]);
      await this.call(account, token, tokenAbi, 'approve', [aave.pool, MAX_UINT256]);
    }
  }

  /** Runs `act` and takes back whatever it did. */
  async undone<T>(act: () => Promise<T>): Promise<T> {
    const snapshot = await rpc<Hex>(this.url, 'evm_snapshot');
    try {
      return await act();
    } finally {
      await rpc(this.url, 'evm_revert', [snapshot]);
    }
  }
}
