// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20} from "../interfaces/IERC20.sol";
import {IExecutor} from "../interfaces/IExecutor.sol";
import {Calls} from "./Calls.sol";

/// @notice ERC-20 as it is found: tokens that return nothing, return false, or insist on an allowance of 0 before a new one.
library Tokens {
    /// @dev The balance of this contract. Reverts where `token` is no token.
    function held(address token) internal view returns (uint256) {
        (bool ok, uint256 size, uint256 word) = Calls.look(token, abi.encodeCall(IERC20.balanceOf, (address(this))));
        require(ok && size >= 32, IExecutor.MeterFailed(token));
        return word;
    }

    function send(address token, address to, uint256 amount) internal {
        require(_accepts(token, abi.encodeCall(IERC20.transfer, (to, amount))), IExecutor.TransferFailed(token));
    }

    /// @dev Sets the allowance, by way of 0 where the token wants that.
    function setAllowance(address token, address spender, uint256 amount) internal {
        bytes memory approval = abi.encodeCall(IERC20.approve, (spender, amount));
        if (_accepts(token, approval)) return;

        require(
            _accepts(token, abi.encodeCall(IERC20.approve, (spender, 0))) && _accepts(token, approval),
            IExecutor.ApprovalFailed(token)
        );
    }

    /// @dev Sets the allowance to 0, unless the token says that it is (some refuse to be told twice).
    function clearAllowance(address token, address spender) internal {
        (bool ok, uint256 size, uint256 word) =
            Calls.look(token, abi.encodeCall(IERC20.allowance, (address(this), spender)));
        if (ok && size >= 32 && word == 0) return;

        setAllowance(token, spender, 0);
    }

    /// @dev Whether the call went through: nothing returned by a contract, or the word `true`.
    function _accepts(address token, bytes memory data) private returns (bool) {
        (bool ok, uint256 size, uint256 word) = Calls.run(token, 0, Calls.ALL_GAS, data);
        return ok && (size == 0 ? token.code.length != 0 : word == 1);
    }
}
