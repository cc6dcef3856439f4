// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// Reasons to compete for the top of a block.
contract Auction {
    mapping(uint256 => bool) public won;
    uint256 public deals;
    address public lastCoinbase;
    uint256 public lastNumber;
    uint256 public lastTimestamp;

    /// Pays all of the value to the builder.
    function pay() external payable {
        _pay(msg.value);
        (lastCoinbase, lastNumber, lastTimestamp) = (block.coinbase, block.number, block.timestamp);
    }

    /// Only the first for a prize succeeds, and pays.
    function win(uint256 prize) external payable {
        require(!won[prize], "already won");
        won[prize] = true;
        _pay(msg.value);
    }

    /// The first in a block pays all of the value, each later one a tenth of it.
    mapping(uint256 => uint256) public dealsIn;

    function dwindle() external payable {
        _pay(dealsIn[block.number]++ == 0 ? msg.value : msg.value / 10);
    }

    function fail() external payable {
        revert("no deal");
    }

    /// Uses about this much gas.
    function burn(uint256 gas_) external payable {
        uint256 until = gasleft() - gas_;
        while (gasleft() > until) deals++;
    }

    function _pay(uint256 amount) private {
        (bool ok,) = block.coinbase.call{value: amount}("");
        require(ok, "coinbase refused");
    }
}
