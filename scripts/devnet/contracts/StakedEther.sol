// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// A staked-ETH share token of the wstETH kind: balances stand still, and what a share is worth in ETH grows. It answers by
/// Lido's names, those of wstETH and of the stETH that Aave's adapter asks. The devnet's owner mints it; there is no staking behind it.
contract StakedEther is ERC20 {
    address public immutable owner;
    /// Yearly growth of the ratio in basis points, simple interest between two pokes.
    uint256 public immutable yearlyGrowthBps;
    /// ETH per 1e18 shares, in wei.
    uint256 public stEthPerToken;
    uint256 public pokedAt;

    constructor(uint256 initialRatioWad, uint256 yearlyGrowthBps_) ERC20("Wrapped liquid staked Ether", "wstETH") {
        owner = msg.sender;
        yearlyGrowthBps = yearlyGrowthBps_;
        stEthPerToken = initialRatioWad;
        pokedAt = block.timestamp;
    }

    function mint(address to, uint256 shares) external {
        require(msg.sender == owner, "only the owner mints");
        _mint(to, shares);
    }

    /// Credits the rewards since the last poke, as Lido's daily report does. Anyone may call it; time alone decides the amount.
    function poke() external {
        stEthPerToken += (stEthPerToken * yearlyGrowthBps * (block.timestamp - pokedAt)) / (10_000 * 365 days);
        pokedAt = block.timestamp;
    }

    function getPooledEthByShares(uint256 shares) public view returns (uint256) {
        return (shares * stEthPerToken) / 1e18;
    }

    function getStETHByWstETH(uint256 shares) external view returns (uint256) {
        return getPooledEthByShares(shares);
    }
}
