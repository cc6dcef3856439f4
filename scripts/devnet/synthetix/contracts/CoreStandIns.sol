// SPDX-License-Identifier: MIT
pragma solidity 0.8.26;

// Stand-ins for three files of `@synthetixio/core-contracts` that its package on npm lacks. Their names are those that the real sources import.

/// Without the trusted forwarder: whoever calls is the sender.
library ERC2771Context {
    function _msgSender() internal view returns (address) {
        return msg.sender;
    }
}

/// This chain is never treated as a fork for development, on which stale prices would pass.
library ForkDetector {
    function isDevFork() internal pure returns (bool) {
        return false;
    }
}

library RevertUtil {
    error Errors(bytes[] errors);

    function revertIfError(bytes memory reason) internal pure {
        if (reason.length > 0) revertWithReason(reason);
    }

    function revertManyIfError(bytes[] memory reasons) internal pure {
        for (uint256 i = 0; i < reasons.length; i++) if (reasons[i].length > 0) revert Errors(reasons);
    }

    function revertWithReason(bytes memory reason) internal pure {
        assembly {
            revert(add(reason, 32), mload(reason))
        }
    }
}
