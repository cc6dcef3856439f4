// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// Stands in front of a genuine contract and passes everything on, but for the functions that it was told to answer otherwise.
contract HostileFront {
    enum Act {
        Forward,
        Refuse,
        Answer,
        Silence,
        Burn,
        Megabytes,
        Reenter
    }

    address private immutable behind;
    mapping(bytes4 => Act) private acts;
    mapping(bytes4 => bytes) private answers;

    constructor(address behind_) {
        behind = behind_;
    }

    function hostileAct(bytes4 selector, Act act, bytes calldata answer) external {
        acts[selector] = act;
        answers[selector] = answer;
    }

    /// Claims that an account borrowed here.
    function hostileBorrow(address account, address asset) external {
        bytes32 topic = keccak256("Borrow(address,address,address,uint256,uint8,uint256,uint16)");
        bytes memory data = abi.encode(account, uint256(1), uint256(2), uint256(0));
        assembly {
            log4(add(data, 32), mload(data), topic, asset, account, 0)
        }
    }

    fallback() external payable {
        Act act = acts[msg.sig];
        if (act == Act.Refuse) revert("no");
        if (act == Act.Silence) return;
        if (act == Act.Burn) while (true) {}
        if (act == Act.Answer) pass(true, answers[msg.sig]);
        if (act == Act.Megabytes) {
            assembly {
                return(0, 4000000)
            }
        }
        if (act == Act.Reenter) {
            (bool again,) = msg.sender.call(msg.data);
            require(again);
        }
        (bool ok, bytes memory returned) = behind.call{value: msg.value}(msg.data);
        pass(ok, returned);
    }

    function pass(bool ok, bytes memory data) private pure {
        assembly {
            if ok { return(add(data, 32), mload(data)) }
            revert(add(data, 32), mload(data))
        }
    }
}
