// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// Factors are scaled by 1e18.
struct AssetConfig {
    address asset;
    address priceFeed;
    uint64 scale;
    uint64 borrowCollateralFactor;
    uint64 liquidateCollateralFactor;
    uint64 liquidationFactor;
}

struct AssetInfo {
    uint8 offset;
    address asset;
    address priceFeed;
    uint64 scale;
    uint64 borrowCollateralFactor;
    uint64 liquidateCollateralFactor;
    uint64 liquidationFactor;
    uint128 supplyCap;
}

/// The collateral of one configuration. A contract of its own, because a market's code is run in its proxy's storage.
contract AssetListDouble {
    AssetInfo[] private assets;

    constructor(AssetConfig[] memory configs) {
        for (uint256 i = 0; i < configs.length; i++) {
            AssetConfig memory one = configs[i];
            assets.push(
                AssetInfo(
                    uint8(i),
                    one.asset,
                    one.priceFeed,
                    one.scale,
                    one.borrowCollateralFactor,
                    one.liquidateCollateralFactor,
                    one.liquidationFactor,
                    type(uint128).max
                )
            );
        }
    }

    function getAssetInfo(uint8 i) external view returns (AssetInfo memory) {
        return assets[i];
    }
}
