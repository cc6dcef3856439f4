// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Id, IMorpho, Market, MarketParams, Position} from "@morpho-org/morpho-blue/src/interfaces/IMorpho.sol";
import {IMorphoRepayCallback} from "@morpho-org/morpho-blue/src/interfaces/IMorphoCallbacks.sol";
import {IOracle} from "@morpho-org/morpho-blue/src/interfaces/IOracle.sol";
import {ORACLE_PRICE_SCALE} from "@morpho-org/morpho-blue/src/libraries/ConstantsLib.sol";
import {MathLib} from "@morpho-org/morpho-blue/src/libraries/MathLib.sol";
import {SharesMathLib} from "@morpho-org/morpho-blue/src/libraries/SharesMathLib.sol";

struct PreLiquidationParams {
    uint256 preLltv;
    uint256 preLCF1;
    uint256 preLCF2;
    uint256 preLIF1;
    uint256 preLIF2;
    address preLiquidationOracle;
}

interface IPreLiquidator {
    function onPreLiquidate(uint256 repaidAssets, bytes calldata data) external;
}

/// @title PreLiquidationDouble
/// @notice Stands in for Morpho's PreLiquidation, which is on no package registry: its interface, its rule and its rounding, as published. Between its own
/// limit and the market's it repays a share of a debt for collateral; both the share and the bonus grow linearly from the one limit to the other.
contract PreLiquidationDouble is IMorphoRepayCallback {
    using MathLib for uint256;
    using SafeERC20 for IERC20;
    using SharesMathLib for uint256;

    error InconsistentInput();
    error LiquidatablePosition();
    error NotMorpho();
    error NotPreLiquidatablePosition();
    error PreLiquidationTooLarge(uint256 repaidShares, uint256 repayableShares);
    error WrongParameters();

    event PreLiquidate(
        Id indexed id, address indexed liquidator, address indexed borrower, uint256 repaidAssets, uint256 repaidShares, uint256 seizedAssets
    );

    uint256 internal constant WAD = 1e18;

    IMorpho public immutable MORPHO;
    Id public immutable ID;
    MarketParams internal market;
    PreLiquidationParams internal params;

    constructor(IMorpho morpho, Id id, PreLiquidationParams memory params_) {
        (MORPHO, ID, market, params) = (morpho, id, morpho.idToMarketParams(id), params_);
        require(morpho.market(id).lastUpdate != 0 && params_.preLltv < market.lltv, WrongParameters());
        require(params_.preLCF1 <= params_.preLCF2 && params_.preLCF1 <= WAD, WrongParameters());
        require(WAD <= params_.preLIF1 && params_.preLIF1 <= params_.preLIF2, WrongParameters());
        require(params_.preLIF2 <= WAD.wDivDown(market.lltv), WrongParameters());
        IERC20(market.loanToken).forceApprove(address(morpho), type(uint256).max);
    }

    function marketParams() external view returns (MarketParams memory) {
        return market;
    }

    function preLiquidationParams() external view returns (PreLiquidationParams memory) {
        return params;
    }

    /// @dev Exactly one of the two amounts is not zero.
    function preLiquidate(address borrower, uint256 seizedAssets, uint256 repaidShares, bytes calldata data)
        external
        returns (uint256, uint256 repaidAssets)
    {
        require((seizedAssets == 0) != (repaidShares == 0), InconsistentInput());
        MORPHO.accrueInterest(market);
        (seizedAssets, repaidShares) = _amounts(MORPHO.position(ID, borrower), MORPHO.market(ID), seizedAssets, repaidShares);
        (repaidAssets,) = MORPHO.repay(market, 0, repaidShares, borrower, abi.encode(seizedAssets, borrower, msg.sender, data));
        emit PreLiquidate(ID, msg.sender, borrower, repaidAssets, repaidShares, seizedAssets);
        return (seizedAssets, repaidAssets);
    }

    /// @dev Morpho calls this before it takes the repayment: here the collateral leaves, and the liquidator is called, then charged.
    function onMorphoRepay(uint256 repaidAssets, bytes calldata data) external {
        require(msg.sender == address(MORPHO), NotMorpho());
        (uint256 seizedAssets, address borrower, address liquidator, bytes memory own) =
            abi.decode(data, (uint256, address, address, bytes));
        MORPHO.withdrawCollateral(market, seizedAssets, borrower, liquidator);
        if (own.length > 0) IPreLiquidator(liquidator).onPreLiquidate(repaidAssets, own);
        IERC20(market.loanToken).safeTransferFrom(liquidator, address(this), repaidAssets);
    }

    /// @dev The amount that was left at zero, worked out from the other one.
    function _amounts(Position memory position, Market memory totals, uint256 seizedAssets, uint256 repaidShares)
        internal
        view
        returns (uint256, uint256)
    {
        uint256 price = IOracle(params.preLiquidationOracle).price();
        uint256 progress = _progress(position, totals, price);
        uint256 factor = params.preLIF1 + progress.wMulDown(params.preLIF2 - params.preLIF1);
        if (seizedAssets > 0) repaidShares = _sharesFor(seizedAssets, price, factor, totals);
        else seizedAssets = _collateralFor(repaidShares, price, factor, totals);
        uint256 share = params.preLCF1 + progress.wMulDown(params.preLCF2 - params.preLCF1);
        uint256 repayable = uint256(position.borrowShares).wMulDown(share);
        require(repaidShares <= repayable, PreLiquidationTooLarge(repaidShares, repayable));
        return (seizedAssets, repaidShares);
    }

    function _sharesFor(uint256 seizedAssets, uint256 price, uint256 factor, Market memory totals) internal pure returns (uint256) {
        uint256 repaidAssets = seizedAssets.mulDivUp(price, ORACLE_PRICE_SCALE).wDivUp(factor);
        return repaidAssets.toSharesUp(totals.totalBorrowAssets, totals.totalBorrowShares);
    }

    function _collateralFor(uint256 repaidShares, uint256 price, uint256 factor, Market memory totals) internal pure returns (uint256) {
        uint256 repaidAssets = repaidShares.toAssetsDown(totals.totalBorrowAssets, totals.totalBorrowShares);
        return repaidAssets.wMulDown(factor).mulDivDown(ORACLE_PRICE_SCALE, price);
    }

    /// @dev How far the position has come from the one limit to the other, as a share of the way.
    function _progress(Position memory position, Market memory totals, uint256 price) internal view returns (uint256) {
        uint256 worth = uint256(position.collateral).mulDivDown(price, ORACLE_PRICE_SCALE);
        uint256 owed = uint256(position.borrowShares).toAssetsUp(totals.totalBorrowAssets, totals.totalBorrowShares);
        require(owed <= worth.wMulDown(market.lltv), LiquidatablePosition());
        require(owed > worth.wMulDown(params.preLltv), NotPreLiquidatablePosition());
        return (owed.wDivUp(worth) - params.preLltv).wDivDown(market.lltv - params.preLltv);
    }
}

/// @title PreLiquidationFactoryDouble
/// @notice Stands in for Morpho's PreLiquidationFactory: the same parameters make a contract at the same address, once.
contract PreLiquidationFactoryDouble {
    event CreatePreLiquidation(address indexed preLiquidation, Id id, PreLiquidationParams preLiquidationParams);

    IMorpho public immutable MORPHO;
    mapping(address => bool) public isPreLiquidation;

    constructor(IMorpho morpho) {
        MORPHO = morpho;
    }

    function createPreLiquidation(Id id, PreLiquidationParams calldata params) external returns (PreLiquidationDouble made) {
        made = new PreLiquidationDouble{salt: 0}(MORPHO, id, params);
        emit CreatePreLiquidation(address(made), id, params);
        isPreLiquidation[address(made)] = true;
    }
}
