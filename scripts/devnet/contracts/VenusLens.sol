// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LensLiquidator} from "./LensLiquidator.sol";

interface IComptroller {
    function getAccountLiquidity(address account) external view returns (uint256 error, uint256 liquidity, uint256 shortfall);
    function closeFactorMantissa() external view returns (uint256);
}

interface IMarket {
    function accrueInterest() external returns (uint256);
    function getAccountSnapshot(address account) external view returns (uint256 error, uint256 tokens, uint256 owed, uint256 rate);
    function liquidateBorrow(address borrower, uint256 amount, address collateral) external returns (uint256);
    function redeem(uint256 tokens) external returns (uint256);
    function balanceOf(address account) external view returns (uint256);
}

interface INativeMarket {
    function liquidateBorrow(address borrower, address collateral) external payable;
}

interface IWrapped {
    function deposit() external payable;
    function withdraw(uint256 amount) external;
}

/// The lens for Venus: a flash loan from Aave, the market tokens redeemed, the collateral sold by the same routes. To be called, not sent.
contract VenusLens is LensLiquidator {
    using SafeERC20 for IERC20;

    /// A market, and what it lends; WETH where that is the native token.
    struct Side {
        address market;
        address token;
        bool native;
    }

    struct Trial {
        address account;
        Side debt;
        Side collateral;
        uint256 amount;
        Route route;
    }

    uint256 private constant WAD = 1e18;

    IComptroller public immutable COMPTROLLER;

    constructor(address comptroller, address pool, address factory, address weth) LensLiquidator(pool, factory, weth) {
        COMPTROLLER = IComptroller(comptroller);
    }

    receive() external payable {}

    /// The comptroller's own word, once all interest of these markets is accrued.
    function liquidatable(Side[] calldata sides, address account) public returns (bool) {
        for (uint256 i = 0; i < sides.length; ++i) IMarket(sides[i].market).accrueInterest();
        (,, uint256 shortfall) = COMPTROLLER.getAccountLiquidity(account);
        return shortfall > 0;
    }

    /// The liquidation that leaves most after gas, of some sizes of each pair.
    function bestAt(Side[] calldata sides, address account, uint256 gasPriceWei, uint256 transactionGas)
        external
        returns (Best memory best)
    {
        if (!liquidatable(sides, account)) return best;
        for (uint256 d = 0; d < sides.length; ++d) {
            (,, uint256 owed,) = IMarket(sides[d].market).getAccountSnapshot(account);
            if (owed == 0) continue;
            uint256 most = (owed * COMPTROLLER.closeFactorMantissa()) / WAD;
            for (uint256 c = 0; c < sides.length; ++c) {
                (, uint256 tokens,,) = IMarket(sides[c].market).getAccountSnapshot(account);
                if (tokens == 0) continue;
                Trial memory trial = Trial(account, sides[d], sides[c], most, _unknownRoute());
                Best memory found = _bestIn(trial, most, gasPriceWei, transactionGas);
                if (found.netWei > best.netWei) best = found;
            }
        }
    }

    /// Carries it out and takes it back.
    function attemptAt(Trial calldata trial) external {
        uint256 before = IERC20(WETH).balanceOf(address(this));
        POOL.flashLoanSimple(address(this), trial.debt.token, trial.amount, abi.encode(trial), 0);
        uint256 profitWei = IERC20(WETH).balanceOf(address(this)) - before;
        IERC20(WETH).safeTransfer(tx.origin, profitWei);
        revert Outcome(profitWei, _covered, _found);
    }

    /// Aave's callback, with `amount` of the debt asset in hand.
    function executeOperation(address asset, uint256 amount, uint256 premium, address initiator, bytes calldata params)
        external
        override
        returns (bool)
    {
        require(msg.sender == address(POOL) && initiator == address(this), "not our loan");
        Trial memory trial = abi.decode(params, (Trial));
        address collateral = trial.collateral.token;
        uint256 held = IERC20(collateral).balanceOf(address(this));
        _liquidate(trial);
        uint256 holds = IERC20(collateral).balanceOf(address(this));
        Plan memory plan = Plan(trial.account, asset, collateral, amount, trial.route);
        if (collateral == asset) _sellRest(plan, amount, holds - (held + premium));
        else _sellSeized(plan, amount, holds - held, amount + premium);
        IERC20(asset).forceApprove(address(POOL), amount + premium);
        return true;
    }

    function _liquidate(Trial memory trial) private {
        if (trial.debt.native) {
            IWrapped(WETH).withdraw(trial.amount);
            INativeMarket(trial.debt.market).liquidateBorrow{value: trial.amount}(trial.account, trial.collateral.market);
        } else {
            IERC20(trial.debt.token).forceApprove(trial.debt.market, trial.amount);
            require(IMarket(trial.debt.market).liquidateBorrow(trial.account, trial.amount, trial.collateral.market) == 0, "refused");
        }
        IMarket market = IMarket(trial.collateral.market);
        uint256 before = address(this).balance;
        require(market.redeem(market.balanceOf(address(this))) == 0, "not redeemed");
        if (trial.collateral.native) IWrapped(WETH).deposit{value: address(this).balance - before}();
    }

    function _bestIn(Trial memory trial, uint256 most, uint256 gasPriceWei, uint256 transactionGas) private returns (Best memory best) {
        (best.debt, best.collateral) = (trial.debt.token, trial.collateral.token);
        for (uint256 eighths = 8; eighths != 0; eighths /= 2) {
            trial.amount = (most * eighths) / 8;
            (bool possible, uint256 profitWei, Route memory route) = _tryAt(trial);
            if (possible && profitWei > best.grossWei) (best.grossWei, best.amount, best.route) = (profitWei, trial.amount, route);
        }
        if (best.grossWei == 0) return best;
        (trial.amount, trial.route) = (best.amount, best.route);
        uint256 before = gasleft();
        try this.attemptAt(trial) {} catch {}
        best.gas = before - gasleft();
        uint256 costWei = (best.gas + transactionGas) * gasPriceWei;
        best.netWei = best.grossWei > costWei ? best.grossWei - costWei : 0;
    }

    function _tryAt(Trial memory trial) private returns (bool, uint256, Route memory) {
        try this.attemptAt(trial) {
            revert("attempt must revert");
        } catch (bytes memory reason) {
            if (bytes4(reason) != Outcome.selector) return (false, 0, trial.route);
            (uint256 profitWei,, Route memory route) = abi.decode(_afterSelector(reason), (uint256, uint256, Route));
            return (true, profitWei, route);
        }
    }
}
