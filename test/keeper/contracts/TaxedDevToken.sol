// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {DevToken} from "../../../scripts/devnet/contracts/DevToken.sol";

/// The devnet's token after an upgrade that nobody asked for: a hundredth of every transfer goes astray.
contract TaxedDevToken is DevToken {
    constructor(string memory name_, string memory symbol_, uint8 decimals_) DevToken(name_, symbol_, decimals_) {}

    function _update(address from, address to, uint256 value) internal override {
        uint256 fee = from == address(0) || to == address(0) ? 0 : value / 100;
        super._update(from, to, value - fee);
        if (fee > 0) super._update(from, address(0xdead), fee);
    }
}
