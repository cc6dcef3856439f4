// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// @notice Calls that copy no more of the answer than is wanted, however much the other side returns.
library Calls {
    /// @dev A gas limit that leaves the choice to the EVM: 63/64 of what there is.
    uint256 internal constant ALL_GAS = type(uint256).max;

    /// @dev The most revert data that is ever copied.
    uint256 internal constant MAX_REASON = 1024;

    /// @return ok Whether the call did not revert.
    /// @return size How many bytes it returned.
    /// @return word The first 32 of them, padded with zeros.
    function run(address target, uint256 value, uint256 gasLimit, bytes memory data)
        internal
        returns (bool ok, uint256 size, uint256 word)
    {
        assembly ("memory-safe") {
            mstore(0, 0)
            ok := call(gasLimit, target, value, add(data, 32), mload(data), 0, 32)
            size := returndatasize()
            word := mload(0)
        }
    }

    /// @dev The same without effects.
    function look(address target, bytes memory data) internal view returns (bool ok, uint256 size, uint256 word) {
        assembly ("memory-safe") {
            mstore(0, 0)
            ok := staticcall(gas(), target, add(data, 32), mload(data), 0, 32)
            size := returndatasize()
            word := mload(0)
        }
    }

    /// @dev The start of what the last call returned. Assumes that no other call came in between.
    function reason() internal pure returns (bytes memory data) {
        assembly ("memory-safe") {
            let size := returndatasize()
            if gt(size, MAX_REASON) { size := MAX_REASON }
            data := mload(0x40)
            mstore(0x40, add(data, add(MAX_REASON, 32)))
            mstore(data, size)
            returndatacopy(add(data, 32), 0, size)
        }
    }
}
