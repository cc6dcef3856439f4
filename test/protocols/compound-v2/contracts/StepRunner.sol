// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

interface IBalance {
    function balanceOf(address) external view returns (uint256);
}

/// @title StepRunner
/// @notice Runs an option's steps one after another, and says what they changed: inside an `eth_call`, at any block to come.
/// @dev A call that answers a number other than 0, as Compound's do instead of reverting, counts as failed.
contract StepRunner {
    struct Call {
        address target;
        uint256 value;
        bytes data;
        /// @dev Whose balance is written over the word at `offset`; none for zero.
        address patched;
        uint256 offset;
        /// @dev The answer is an error code.
        bool coded;
    }

    error Failed(uint256 index, bytes answer);

    receive() external payable {}

    function run(Call[] calldata calls, address[] calldata tokens) external payable returns (int256[] memory changes) {
        changes = new int256[](tokens.length);
        for (uint256 i; i < tokens.length; ++i) changes[i] = -int256(IBalance(tokens[i]).balanceOf(address(this)));
        for (uint256 i; i < calls.length; ++i) _run(i, calls[i]);
        for (uint256 i; i < tokens.length; ++i) changes[i] += int256(IBalance(tokens[i]).balanceOf(address(this)));
    }

    function _run(uint256 index, Call calldata step) internal {
        bytes memory data = step.data;
        if (step.patched != address(0)) {
            uint256 held = IBalance(step.patched).balanceOf(address(this));
            uint256 at = 32 + step.offset;
            assembly ("memory-safe") {
                mstore(add(data, at), held)
            }
        }
        (bool ok, bytes memory answer) = step.target.call{value: step.value}(data);
        if (!ok || (step.coded && answer.length == 32 && abi.decode(answer, (uint256)) != 0)) revert Failed(index, answer);
    }
}
