// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IUniswapV3Factory} from "@uniswap/v3-core/contracts/interfaces/IUniswapV3Factory.sol";
import {IUniswapV3Pool} from "@uniswap/v3-core/contracts/interfaces/IUniswapV3Pool.sol";

interface IAavePool {
    function flashLoanSimple(address receiver, address asset, uint256 amount, bytes calldata params, uint16 referral) external;
    function liquidationCall(address collateral, address debt, address user, uint256 debtToCover, bool receiveAToken) external;
    function getUserAccountData(address user)
        external
        view
        returns (uint256 collateral, uint256 debt, uint256 available, uint256 threshold, uint256 ltv, uint256 healthFactor);
    function getReservesList() external view returns (address[] memory);
    /// Fifteen words in every release; words 9 and 10 are the tokens of debts at fixed rates (before 3.2) and at variable ones.
    function getReserveData(address asset) external view returns (uint256[15] memory);
    function getUserConfiguration(address user) external view returns (uint256);
}

/// A liquidator of the plain kind: borrows the debt by flash loan from Aave, liquidates, sells the collateral on Uniswap v3 (directly or
/// over WETH, whichever leaves more), repays, and keeps the rest in WETH for its caller.
///
/// It serves two: a rival in the devnet sends `liquidate`; and the lens, which decides whether a liquidation would have paid, calls
/// `bestOf` without sending it. `bestOf` carries out every (debt, collateral) pair in many sizes, for real, and takes each back by a revert.
contract LensLiquidator {
    using SafeERC20 for IERC20;

    struct Plan {
        address account;
        address debt;
        address collateral;
        /// What is borrowed and offered; Aave takes no more of it than its rules allow.
        uint256 amount;
        Route route;
    }

    /// How the collateral becomes the debt asset and WETH. `fees` are those of the legs' pools, in the order of `_sell`.
    struct Route {
        Kind kind;
        uint24[2] fees;
    }

    enum Kind {
        /// To be found; what `liquidate` never gets.
        Search,
        /// As much collateral as the debt costs straight into the debt asset, the rest into WETH.
        Direct,
        /// All into WETH, and from WETH into the debt asset what is owed.
        OverWeth
    }

    struct Best {
        address debt;
        address collateral;
        uint256 amount;
        Route route;
        /// WETH left after repaying, before gas.
        uint256 grossWei;
        /// Of `liquidate` with this plan, but for the transaction's own cost (21,000 and its calldata). Refunds are not counted.
        uint256 gas;
        uint256 netWei;
    }

    error Outcome(uint256 profitWei, uint256 debtCovered, Route route);
    error Quoted(uint256 amountIn, uint256 amountOut);
    error NotEnough(uint256 profitWei, uint256 wanted);

    uint160 private constant MIN_SQRT_RATIO = 4295128739;
    uint160 private constant MAX_SQRT_RATIO = 1461446703485210103287273052203988822378723970342;
    /// A swap in a pool without liquidity walks the whole range of ticks; a quote is not worth that.
    uint256 private constant QUOTE_GAS = 3_000_000;
    uint256 internal constant SIZES = 16;

    IAavePool public immutable POOL;
    IUniswapV3Factory public immutable FACTORY;
    address public immutable WETH;

    constructor(address pool, address factory, address weth) {
        POOL = IAavePool(pool);
        FACTORY = IUniswapV3Factory(factory);
        WETH = weth;
    }

    // ---- the rival's entry

    /// Pays the caller the WETH that is left, and reverts when that is less than `minProfitWei`.
    function liquidate(Plan calldata plan, uint256 minProfitWei) external returns (uint256 profitWei) {
        profitWei = _borrowAndLiquidate(plan);
        if (profitWei < minProfitWei) revert NotEnough(profitWei, minProfitWei);
        IERC20(WETH).safeTransfer(msg.sender, profitWei);
    }

    // ---- the lens's entries; to be called, not sent

    function healthFactors(address[] calldata accounts) external view returns (uint256[] memory factors) {
        factors = new uint256[](accounts.length);
        for (uint256 i = 0; i < accounts.length; ++i) {
            (,,,,, factors[i]) = POOL.getUserAccountData(accounts[i]);
        }
    }

    /// The liquidation of `account` that leaves most after gas at `gasPriceWei`; `netWei` is 0 when none leaves anything.
    /// `transactionGas`: what the transaction itself costs before the contract runs.
    function bestOf(address account, uint256 gasPriceWei, uint256 transactionGas) external returns (Best memory best) {
        address[] memory assets = POOL.getReservesList();
        uint256 flags = POOL.getUserConfiguration(account);
        for (uint256 d = 0; d < assets.length; ++d) {
            uint256 owed = _owed(assets[d], account);
            if (owed == 0) continue;
            for (uint256 c = 0; c < assets.length; ++c) {
                // Bit 2i + 1 of Aave's user configuration: the reserve of id i is used as collateral. No reserve was ever dropped here.
                if ((flags >> (2 * c + 1)) & 1 == 0) continue;
                Best memory found = _bestOfPair(Plan(account, assets[d], assets[c], owed, _unknownRoute()), gasPriceWei, transactionGas);
                if (found.netWei > best.netWei) best = found;
            }
        }
    }

    /// Carries the plan out and takes it back.
    function attempt(Plan calldata plan) external {
        uint256 profitWei = _borrowAndLiquidate(plan);
        IERC20(WETH).safeTransfer(tx.origin, profitWei);
        revert Outcome(profitWei, _covered, _found);
    }

    // ---- the search

    /// What the last liquidation covered and the route it took: written in a search only, and always taken back.
    uint256 internal _covered;
    Route internal _found;

    function _owed(address asset, address account) private view returns (uint256 owed) {
        uint256[15] memory data = POOL.getReserveData(asset);
        owed = IERC20(address(uint160(data[10]))).balanceOf(account);
        address fixedRate = address(uint160(data[9]));
        if (fixedRate != address(0)) owed += IERC20(fixedRate).balanceOf(account);
    }

    function _bestOfPair(Plan memory plan, uint256 gasPriceWei, uint256 transactionGas) private returns (Best memory best) {
        best.debt = plan.debt;
        best.collateral = plan.collateral;
        // The whole debt and some more first: what Aave takes of it is the most that its rules allow, and the measure of the other sizes.
        (bool possible, uint256 profitWei, uint256 most, Route memory route) = _try(plan, plan.amount + plan.amount / 1000);
        if (possible) (best.grossWei, best.amount, best.route) = (profitWei, plan.amount + plan.amount / 1000, route);
        else most = plan.amount;
        for (uint256 i = 0; i < SIZES; ++i) {
            uint256 amount = _size(most, i);
            (possible, profitWei,, route) = _try(plan, amount);
            if (possible && profitWei > best.grossWei) (best.grossWei, best.amount, best.route) = (profitWei, amount, route);
        }
        if (best.grossWei == 0) return best;
        (plan.amount, plan.route) = (best.amount, best.route);
        uint256 before = gasleft();
        try this.attempt(plan) {} catch {}
        best.gas = before - gasleft();
        uint256 costWei = (best.gas + transactionGas) * gasPriceWei;
        best.netWei = best.grossWei > costWei ? best.grossWei - costWei : 0;
    }

    /// In 64ths of the most: fine where a thin market favours the small, and the whole with some room for rounding at the top.
    function _size(uint256 most, uint256 index) internal pure returns (uint256) {
        uint8[15] memory parts = [1, 2, 4, 6, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 60];
        return index < 15 ? (most * parts[index]) / 64 : most + most / 10_000 + 10;
    }

    function _try(Plan memory plan, uint256 amount) private returns (bool, uint256, uint256, Route memory) {
        try this.attempt(Plan(plan.account, plan.debt, plan.collateral, amount, plan.route)) {
            revert("attempt must revert");
        } catch (bytes memory reason) {
            if (bytes4(reason) != Outcome.selector) return (false, 0, 0, plan.route);
            (uint256 profitWei, uint256 covered, Route memory route) = abi.decode(_afterSelector(reason), (uint256, uint256, Route));
            return (true, profitWei, covered, route);
        }
    }

    // ---- the liquidation

    function _borrowAndLiquidate(Plan memory plan) private returns (uint256 profitWei) {
        uint256 before = IERC20(WETH).balanceOf(address(this));
        POOL.flashLoanSimple(address(this), plan.debt, plan.amount, abi.encode(plan), 0);
        return IERC20(WETH).balanceOf(address(this)) - before;
    }

    /// Aave's callback, with `amount` of the debt asset in hand.
    function executeOperation(address asset, uint256 amount, uint256 premium, address initiator, bytes calldata params)
        external
        virtual
        returns (bool)
    {
        require(msg.sender == address(POOL) && initiator == address(this), "not our loan");
        Plan memory plan = abi.decode(params, (Plan));
        uint256 held = IERC20(plan.collateral).balanceOf(address(this));
        uint256 allowed = 2 * amount + premium;
        IERC20(asset).forceApprove(address(POOL), allowed);
        POOL.liquidationCall(plan.collateral, asset, plan.account, amount, false);
        uint256 covered = allowed - IERC20(asset).allowance(address(this), address(POOL));
        uint256 holds = IERC20(plan.collateral).balanceOf(address(this));
        // What was borrowed and not taken is in hand; what was taken, and the premium, have to be bought.
        if (plan.collateral == asset) _sellRest(plan, covered, holds - (held + premium));
        else _sellSeized(plan, covered, holds - held, covered + premium);
        return true;
    }

    /// Debt and collateral are one asset: it repays itself, and what is left is sold.
    function _sellRest(Plan memory plan, uint256 covered, uint256 rest) internal {
        if (plan.route.kind == Kind.Search) {
            (uint24 fee,) = _bestIn(plan.debt, WETH, rest);
            (_covered, _found) = (covered, Route(Kind.Direct, [fee, fee]));
            plan.route = _found;
        }
        if (plan.debt != WETH) _swap(plan.debt, WETH, plan.route.fees[1], int256(rest));
    }

    function _sellSeized(Plan memory plan, uint256 covered, uint256 seized, uint256 owed) internal {
        if (plan.route.kind == Kind.Search) {
            (_covered, _found) = (covered, _bestRoute(plan, seized, owed));
            plan.route = _found;
        }
        _sell(plan, seized, owed);
    }

    function _sell(Plan memory plan, uint256 seized, uint256 owed) private {
        uint24[2] memory fees = plan.route.fees;
        if (plan.route.kind == Kind.Direct) {
            (uint256 spent,) = _swap(plan.collateral, plan.debt, fees[0], -int256(owed));
            if (plan.collateral != WETH) _swap(plan.collateral, WETH, fees[1], int256(seized - spent));
        } else {
            _swap(plan.collateral, WETH, fees[0], int256(seized));
            if (plan.debt != WETH) _swap(WETH, plan.debt, fees[1], -int256(owed));
        }
    }

    /// The route that leaves the most WETH, by quotes that carry out each swap and take it back.
    function _bestRoute(Plan memory plan, uint256 seized, uint256 owed) private returns (Route memory) {
        if (plan.debt == WETH) {
            (uint24 fee,) = _bestIn(plan.collateral, WETH, seized);
            return Route(Kind.OverWeth, [fee, fee]);
        }
        (uint24 directFee, uint256 cost) = _bestOut(plan.collateral, plan.debt, owed);
        if (plan.collateral == WETH) return Route(Kind.Direct, [directFee, directFee]);
        (uint24 sellFee, uint256 proceeds) = _bestIn(plan.collateral, WETH, seized);
        (uint24 buyFee, uint256 price) = _bestOut(WETH, plan.debt, owed);
        if (cost <= seized) {
            (uint24 restFee, uint256 rest) = _bestIn(plan.collateral, WETH, seized - cost);
            if (price > proceeds || rest > proceeds - price) return Route(Kind.Direct, [directFee, restFee]);
        }
        return Route(Kind.OverWeth, [sellFee, buyFee]);
    }

    // ---- Uniswap v3

    /// Of the four fee tiers the one that gives most for `amountIn`; fee 0 when none gives anything.
    function _bestIn(address tokenIn, address tokenOut, uint256 amountIn) private returns (uint24 fee, uint256 best) {
        if (amountIn == 0) return (0, 0);
        uint24[4] memory tiers = [uint24(100), 500, 3000, 10000];
        for (uint256 i = 0; i < 4; ++i) {
            (, uint256 amountOut) = _quote(tokenIn, tokenOut, tiers[i], int256(amountIn));
            if (amountOut > best) (fee, best) = (tiers[i], amountOut);
        }
    }

    /// Of the four fee tiers the one that takes least for `amountOut`; the cost is the largest number when none has that much.
    function _bestOut(address tokenIn, address tokenOut, uint256 amountOut) private returns (uint24 fee, uint256 best) {
        best = type(uint256).max;
        uint24[4] memory tiers = [uint24(100), 500, 3000, 10000];
        for (uint256 i = 0; i < 4; ++i) {
            (uint256 amountIn, uint256 got) = _quote(tokenIn, tokenOut, tiers[i], -int256(amountOut));
            if (got >= amountOut && amountIn < best) (fee, best) = (tiers[i], amountIn);
        }
    }

    function _quote(address tokenIn, address tokenOut, uint24 fee, int256 amount) private returns (uint256, uint256) {
        address pool = FACTORY.getPool(tokenIn, tokenOut, fee);
        if (pool == address(0)) return (0, 0);
        bool zeroForOne = tokenIn < tokenOut;
        try IUniswapV3Pool(pool).swap{gas: QUOTE_GAS}(address(this), zeroForOne, amount, _limit(zeroForOne), "") {
            return (0, 0);
        } catch (bytes memory reason) {
            if (bytes4(reason) != Quoted.selector) return (0, 0);
            return abi.decode(_afterSelector(reason), (uint256, uint256));
        }
    }

    /// NOTE: a pool that runs dry swaps a part without complaint; what was not bought is missed when the loan is repaid.
    function _swap(address tokenIn, address tokenOut, uint24 fee, int256 amount) private returns (uint256 spent, uint256 got) {
        if (amount == 0) return (0, 0);
        bool zeroForOne = tokenIn < tokenOut;
        address pool = FACTORY.getPool(tokenIn, tokenOut, fee);
        (int256 delta0, int256 delta1) =
            IUniswapV3Pool(pool).swap(address(this), zeroForOne, amount, _limit(zeroForOne), abi.encode(tokenIn, tokenOut, fee));
        return zeroForOne ? (uint256(delta0), uint256(-delta1)) : (uint256(delta1), uint256(-delta0));
    }

    function uniswapV3SwapCallback(int256 delta0, int256 delta1, bytes calldata data) external {
        (uint256 amountIn, uint256 amountOut) = delta0 > 0 ? (uint256(delta0), uint256(-delta1)) : (uint256(delta1), uint256(-delta0));
        if (data.length == 0) revert Quoted(amountIn, amountOut);
        (address tokenIn, address tokenOut, uint24 fee) = abi.decode(data, (address, address, uint24));
        require(msg.sender == FACTORY.getPool(tokenIn, tokenOut, fee), "not a pool");
        IERC20(tokenIn).safeTransfer(msg.sender, amountIn);
    }

    // ---- small helpers

    function _limit(bool zeroForOne) private pure returns (uint160) {
        return zeroForOne ? MIN_SQRT_RATIO + 1 : MAX_SQRT_RATIO - 1;
    }

    function _unknownRoute() internal pure returns (Route memory) {
        return Route(Kind.Search, [uint24(0), 0]);
    }

    function _afterSelector(bytes memory reason) internal pure returns (bytes memory rest) {
        rest = new bytes(reason.length - 4);
        for (uint256 i = 0; i < rest.length; ++i) {
            rest[i] = reason[i + 4];
        }
    }
}
