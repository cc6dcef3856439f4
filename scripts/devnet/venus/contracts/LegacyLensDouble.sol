// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

interface ILegacyComptroller {
    function oracle() external view returns (ILegacyOracle);
    function getAssetsIn(address account) external view returns (ILegacyMarket[] memory);
    function markets(address market) external view returns (bool listed, uint256 collateralFactor, bool isVenus);
    function liquidationIncentiveMantissa() external view returns (uint256);
}

interface ILegacyOracle {
    function getUnderlyingPrice(address market) external view returns (uint256);
}

interface ILegacyMarket {
    function getAccountSnapshot(address account) external view returns (uint256 error, uint256 tokens, uint256 owed, uint256 rate);
    function exchangeRateStored() external view returns (uint256);
}

/// @title LegacyLensDouble
/// @notice Stands in for the lens of Venus' comptroller before it had thresholds and pools, of which the package has the interface alone. As at Compound, one
/// factor says what may be borrowed and when it is liquidated, and one incentive holds for all.
contract LegacyLensDouble {
    struct Effects {
        ILegacyMarket modified;
        uint256 redeemTokens;
        uint256 borrowAmount;
    }

    uint256 private constant WAD = 1e18;

    function getHypotheticalAccountLiquidity(
        ILegacyComptroller comptroller,
        address account,
        ILegacyMarket modified,
        uint256 redeemTokens,
        uint256 borrowAmount
    ) external view returns (uint256, uint256, uint256) {
        (uint256 held, uint256 owed) = _sums(comptroller, account, Effects(modified, redeemTokens, borrowAmount));
        if (held > owed) return (0, held - owed, 0);
        return (0, 0, owed - held);
    }

    function liquidateCalculateSeizeTokens(ILegacyComptroller comptroller, address borrowed, ILegacyMarket collateral, uint256 repaid)
        external
        view
        returns (uint256, uint256)
    {
        uint256 numerator = comptroller.liquidationIncentiveMantissa() * comptroller.oracle().getUnderlyingPrice(borrowed) / WAD;
        uint256 denominator = comptroller.oracle().getUnderlyingPrice(address(collateral)) * collateral.exchangeRateStored() / WAD;
        return (0, numerator * WAD / denominator * repaid / WAD);
    }

    function _sums(ILegacyComptroller comptroller, address account, Effects memory effects)
        private
        view
        returns (uint256 held, uint256 owed)
    {
        ILegacyMarket[] memory assets = comptroller.getAssetsIn(account);
        for (uint256 i; i < assets.length; ++i) {
            (, uint256 tokens, uint256 debt, uint256 rate) = assets[i].getAccountSnapshot(account);
            (uint256 worth, uint256 price) = _terms(comptroller, assets[i], rate);
            held += worth * tokens / WAD;
            owed += price * debt / WAD;
            if (assets[i] == effects.modified) owed += worth * effects.redeemTokens / WAD + price * effects.borrowAmount / WAD;
        }
    }

    /// @return worth What a market token counts for.
    function _terms(ILegacyComptroller comptroller, ILegacyMarket market, uint256 rate) private view returns (uint256 worth, uint256 price) {
        (, uint256 factor,) = comptroller.markets(address(market));
        price = comptroller.oracle().getUnderlyingPrice(address(market));
        worth = factor * rate / WAD * price / WAD;
    }
}
