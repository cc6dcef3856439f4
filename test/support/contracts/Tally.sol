// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// A child is born and counts within one transaction: whoever follows the Tally learns of it too late to have asked for its logs.
contract Child {
    event Bumped(uint256 by);

    uint256 public value;

    function bump(uint256 by) external {
        value += by;
        emit Bumped(by);
    }
}

/// The smallest contract with everything that a mirror meets: balances told by logs, contracts that appear, and a rate that no log tells.
contract Tally {
    event Changed(address indexed account, int256 by);
    event Born(address indexed child);

    mapping(address => int256) public balanceOf;
    Child[] public children;
    uint256 public rate;

    function act(bytes[] calldata calls) external {
        for (uint256 i = 0; i < calls.length; i++) {
            (bool ok,) = address(this).call(calls[i]);
            require(ok);
        }
    }

    function change(address account, int256 by) external {
        balanceOf[account] += by;
        emit Changed(account, by);
    }

    function bear(uint256 by) external {
        Child child = new Child();
        children.push(child);
        emit Born(address(child));
        child.bump(by);
    }

    function bump(uint256 index, uint256 by) external {
        children[index % children.length].bump(by);
    }

    function setRate(uint256 to) external {
        rate = to;
    }

    function childCount() external view returns (uint256) {
        return children.length;
    }

    function fails() external pure {
        revert();
    }

    /// Burns gas by the storage slots it reads: about 2,300 for each that nobody has read in this transaction.
    function heavy(uint256 from, uint256 slots) external view returns (uint256 sum) {
        for (uint256 i = from; i < from + slots; i++) sum += uint256(balanceOf[address(uint160(i))]);
        return sum + 1;
    }
}
