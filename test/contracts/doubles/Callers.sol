// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

interface ITransfer {
    function transfer(address to, uint256 amount) external returns (bool);
}

/// @notice Calls its caller back with whatever it was told, as often as it was told, and keeps the last answer.
contract CallbackDouble {
    bytes public answer;
    uint256 public refusals;
    bytes public refusal;

    /// @dev A refusal is passed on.
    function callBack(bytes calldata data) external payable {
        answer = _back(msg.sender, data);
    }

    /// @dev Calls back once with each; a refusal is swallowed and counted.
    function callBackEach(bytes[] calldata datas) external {
        for (uint256 i; i < datas.length; ++i) {
            (bool ok, bytes memory said) = msg.sender.call(datas[i]);
            if (ok) answer = said;
            else {
                ++refusals;
                refusal = said;
            }
        }
    }

    /// @dev Has another contract call back in its place.
    function callBackThrough(CallbackDouble other, bytes calldata data) external {
        other.callBackTo(msg.sender, data);
    }

    function callBackTo(address to, bytes calldata data) external {
        answer = _back(to, data);
    }

    function staticallyCallBack(bytes calldata data) external view returns (bytes memory said) {
        bool ok;
        (ok, said) = msg.sender.staticcall(data);
        if (!ok) revert("refused");
    }

    function doNothing(bytes calldata) external pure {}

    function _back(address to, bytes calldata data) internal returns (bytes memory said) {
        bool ok;
        (ok, said) = to.call(data);
        if (ok) return said;
        assembly ("memory-safe") {
            revert(add(said, 32), mload(said))
        }
    }
}

/// @notice Gives tokens away: the profit of a test.
contract PotDouble {
    function give(ITransfer token, address to, uint256 amount) external {
        token.transfer(to, amount);
    }

    function giveThenRevert(ITransfer token, address to, uint256 amount) external {
        token.transfer(to, amount);
        revert("the pot is shut");
    }

    function revertWith(uint256 bytes_) external pure {
        assembly ("memory-safe") {
            revert(0, bytes_)
        }
    }

    function burnAllGas() external pure {
        while (true) {}
    }

    function giveNative(address payable to, uint256 amount) external {
        (bool ok,) = to.call{value: amount}("");
        require(ok, "refused");
    }

    receive() external payable {}
}

/// @notice An account value at a venue, set at will.
contract MeterDouble {
    int256 public value;

    function set(int256 value_) external {
        value = value_;
    }

    function add(int256 by) external {
        value += by;
    }
}

/// @notice Takes the bid, or refuses it, or tries to make something of it.
contract CoinbaseDouble {
    bool public refuses;
    address public target;
    bytes public data;
    uint256 public refusals;
    uint256 public successes;

    function refuse(bool refuses_) external {
        refuses = refuses_;
    }

    function arm(address target_, bytes calldata data_) external {
        target = target_;
        data = data_;
    }

    receive() external payable {
        require(!refuses, "no bids");
        if (target == address(0)) return;
        (bool ok,) = target.call(data);
        if (ok) successes++;
        else refusals++;
    }
}

interface ITransferFrom {
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// @notice Uses an allowance.
contract SpenderDouble {
    function pull(ITransferFrom token, address from, uint256 amount) external {
        token.transferFrom(from, address(this), amount);
    }
}
