// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LensLiquidator} from "./LensLiquidator.sol";

interface IComet {
    function baseToken() external view returns (address);
    function baseScale() external view returns (uint256);
    function absorb(address absorber, address[] calldata accounts) external;
    function buyCollateral(address asset, uint256 minAmount, uint256 baseAmount, address recipient) external;
    function quoteCollateral(address asset, uint256 baseAmount) external view returns (uint256);
    function userCollateral(address account, address asset) external view returns (uint128 balance, uint128 reserved);
}

/// The lens for Compound III: absorbs, buys one asset of the account's collateral, and sells it by the same routes. To be called, not sent, and to be given
/// base tokens first: what a flash loan of them would cost is counted.
contract CometLens is LensLiquidator {
    using SafeERC20 for IERC20;

    struct Trial {
        address account;
        address asset;
        uint256 baseAmount;
        Route route;
    }

    /// Aave's premium.
    uint256 private constant LOAN_BPS = 5;

    IComet public immutable COMET;

    constructor(address comet, address factory, address weth) LensLiquidator(address(0), factory, weth) {
        COMET = IComet(comet);
    }

    /// Comet's own word.
    function liquidatable(address account) external returns (bool) {
        try this.absorbOne(account) {
            return true;
        } catch {
            return false;
        }
    }

    function absorbOne(address account) external {
        address[] memory accounts = new address[](1);
        accounts[0] = account;
        COMET.absorb(address(this), accounts);
    }

    /// Of one asset, the purchase that leaves most after gas; `amount` is the base tokens paid.
    function bestIn(address account, address asset, uint256 gasPriceWei, uint256 transactionGas) external returns (Best memory best) {
        (best.debt, best.collateral) = (COMET.baseToken(), asset);
        (uint128 held,) = COMET.userCollateral(account, asset);
        // What all of it costs, short by less than a unit of collateral in 1e9.
        uint256 most = (uint256(held) * COMET.baseScale() * 1000) / COMET.quoteCollateral(asset, COMET.baseScale() * 1000);
        Trial memory trial = Trial(account, asset, 0, _unknownRoute());
        for (uint256 i = 0; i < SIZES; ++i) {
            trial.baseAmount = i + 1 < SIZES ? _size(most, i) : most;
            if (trial.baseAmount == 0) continue;
            (bool possible, uint256 profitWei, Route memory route) = _tryIn(trial);
            if (possible && profitWei > best.grossWei) (best.grossWei, best.amount, best.route) = (profitWei, trial.baseAmount, route);
        }
        if (best.grossWei == 0) return best;
        (trial.baseAmount, trial.route) = (best.amount, best.route);
        uint256 before = gasleft();
        try this.attemptIn(trial) {} catch {}
        best.gas = before - gasleft();
        uint256 costWei = (best.gas + transactionGas) * gasPriceWei;
        best.netWei = best.grossWei > costWei ? best.grossWei - costWei : 0;
    }

    /// Carries it out and takes it back.
    function attemptIn(Trial calldata trial) external {
        uint256 before = IERC20(WETH).balanceOf(address(this));
        address base = COMET.baseToken();
        this.absorbOne(trial.account);
        IERC20(base).forceApprove(address(COMET), trial.baseAmount);
        uint256 held = IERC20(trial.asset).balanceOf(address(this));
        COMET.buyCollateral(trial.asset, 0, trial.baseAmount, address(this));
        uint256 bought = IERC20(trial.asset).balanceOf(address(this)) - held;
        uint256 owed = trial.baseAmount + (trial.baseAmount * LOAN_BPS) / 10_000 + 1;
        _sellSeized(Plan(trial.account, base, trial.asset, 0, trial.route), bought, bought, owed);
        uint256 profitWei = IERC20(WETH).balanceOf(address(this)) - before;
        IERC20(WETH).safeTransfer(tx.origin, profitWei);
        revert Outcome(profitWei, _covered, _found);
    }

    function _tryIn(Trial memory trial) private returns (bool, uint256, Route memory) {
        try this.attemptIn(trial) {
            revert("attempt must revert");
        } catch (bytes memory reason) {
            if (bytes4(reason) != Outcome.selector) return (false, 0, trial.route);
            (uint256 profitWei,, Route memory route) = abi.decode(_afterSelector(reason), (uint256, uint256, Route));
            return (true, profitWei, route);
        }
    }
}
