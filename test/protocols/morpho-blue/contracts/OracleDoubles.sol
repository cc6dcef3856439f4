// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// @notice An ERC-4626 vault as far as an oracle looks at one: what its shares are worth, set by anybody.
contract VaultDouble {
    uint256 public rateWad = 1.1e18;

    function setRate(uint256 newRateWad) external {
        rateWad = newRateWad;
    }

    function convertToAssets(uint256 shares) external view returns (uint256) {
        return shares * rateWad / 1e18;
    }
}

/// @notice Answers the getters of a Chainlink-based oracle, and a price of its own.
contract LyingOracleDouble {
    address public immutable BASE_VAULT = address(0);
    uint256 public immutable BASE_VAULT_CONVERSION_SAMPLE = 1;
    address public immutable BASE_FEED_1;
    address public immutable BASE_FEED_2 = address(0);
    address public immutable QUOTE_VAULT = address(0);
    uint256 public immutable QUOTE_VAULT_CONVERSION_SAMPLE = 1;
    address public immutable QUOTE_FEED_1 = address(0);
    address public immutable QUOTE_FEED_2 = address(0);
    uint256 public immutable SCALE_FACTOR = 1e16;
    uint256 public price;

    constructor(address feed, uint256 firstPrice) {
        BASE_FEED_1 = feed;
        price = firstPrice;
    }

    function setPrice(uint256 newPrice) external {
        price = newPrice;
    }
}
