// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Id, IMorpho, MarketParams, Position} from "@morpho-org/morpho-blue/src/interfaces/IMorpho.sol";
import {LensLiquidator} from "./LensLiquidator.sol";

/// The lens for Morpho Blue: no loan, the collateral is sold in Morpho's callback, by the same routes. To be called, not sent.
contract MorphoLens is LensLiquidator {
    using SafeERC20 for IERC20;

    struct Trial {
        MarketParams market;
        address account;
        uint256 seized;
        uint256 repaidShares;
        Route route;
    }

    /// ErrorsLib.HEALTHY_POSITION.
    bytes32 private constant HEALTHY = keccak256("position is healthy");

    IMorpho public immutable MORPHO;

    constructor(address morpho, address factory, address weth) LensLiquidator(address(0), factory, weth) {
        MORPHO = IMorpho(morpho);
    }

    /// Morpho's own word: it lets a position alone for being healthy, or fails later because nobody pays.
    function liquidatable(MarketParams calldata market, address account) external returns (bool) {
        Id id = Id.wrap(keccak256(abi.encode(market)));
        if (MORPHO.position(id, account).borrowShares == 0) return false;
        try MORPHO.liquidate(market, account, 1, 0, "") {
            return true;
        } catch Error(string memory reason) {
            return keccak256(bytes(reason)) != HEALTHY;
        } catch {
            return true;
        }
    }

    /// The liquidation that leaves most after gas; `amount` is the collateral seized, or 0 for the whole debt.
    function bestIn(MarketParams calldata market, address account, uint256 gasPriceWei, uint256 transactionGas)
        external
        returns (Best memory best)
    {
        Position memory position = MORPHO.position(Id.wrap(keccak256(abi.encode(market))), account);
        (best.debt, best.collateral) = (market.loanToken, market.collateralToken);
        Trial memory trial = Trial(market, account, 0, position.borrowShares, _unknownRoute());
        (bool wholeDebt, uint256 profitWei, uint256 most, Route memory route) = _tryIn(trial);
        if (wholeDebt) (best.grossWei, best.route) = (profitWei, route);
        else most = position.collateral;
        trial.repaidShares = 0;
        for (uint256 i = 0; i < SIZES; ++i) {
            trial.seized = i + 1 < SIZES ? _size(most, i) : most;
            if (trial.seized == 0) continue;
            bool possible;
            (possible, profitWei,, route) = _tryIn(trial);
            if (possible && profitWei > best.grossWei) (best.grossWei, best.amount, best.route) = (profitWei, trial.seized, route);
        }
        if (best.grossWei == 0) return best;
        (trial.seized, trial.repaidShares, trial.route) = (best.amount, best.amount == 0 ? position.borrowShares : 0, best.route);
        uint256 before = gasleft();
        try this.attemptIn(trial) {} catch {}
        best.gas = before - gasleft();
        uint256 costWei = (best.gas + transactionGas) * gasPriceWei;
        best.netWei = best.grossWei > costWei ? best.grossWei - costWei : 0;
    }

    /// Carries it out and takes it back. Outcome's second figure is the collateral that was seized.
    function attemptIn(Trial calldata trial) external {
        uint256 before = IERC20(WETH).balanceOf(address(this));
        MORPHO.liquidate(trial.market, trial.account, trial.seized, trial.repaidShares, abi.encode(trial));
        uint256 profitWei = IERC20(WETH).balanceOf(address(this)) - before;
        IERC20(WETH).safeTransfer(tx.origin, profitWei);
        revert Outcome(profitWei, _covered, _found);
    }

    function onMorphoLiquidate(uint256 repaid, bytes calldata data) external {
        require(msg.sender == address(MORPHO), "not Morpho");
        Trial memory trial = abi.decode(data, (Trial));
        uint256 seized = IERC20(trial.market.collateralToken).balanceOf(address(this));
        _sellSeized(Plan(trial.account, trial.market.loanToken, trial.market.collateralToken, 0, trial.route), seized, seized, repaid);
        IERC20(trial.market.loanToken).forceApprove(address(MORPHO), repaid);
    }

    function _tryIn(Trial memory trial) private returns (bool, uint256, uint256, Route memory) {
        try this.attemptIn(trial) {
            revert("attempt must revert");
        } catch (bytes memory reason) {
            if (bytes4(reason) != Outcome.selector) return (false, 0, 0, trial.route);
            (uint256 profitWei, uint256 seized, Route memory route) = abi.decode(_afterSelector(reason), (uint256, uint256, Route));
            return (true, profitWei, seized, route);
        }
    }
}
