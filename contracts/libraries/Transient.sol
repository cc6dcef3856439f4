// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// @notice Words that last for one transaction (EIP-1153). A frame that reverts takes its writes with it.
library Transient {
    function get(uint256 slot) internal view returns (uint256 word) {
        assembly ("memory-safe") {
            word := tload(slot)
        }
    }

    function set(uint256 slot, uint256 word) internal {
        assembly ("memory-safe") {
            tstore(slot, word)
        }
    }
}
