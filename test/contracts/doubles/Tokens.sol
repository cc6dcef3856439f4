// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// @notice A token as it should be. Anybody mints.
contract TokenDouble {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function burn(address from, uint256 amount) external {
        balanceOf[from] -= amount;
    }

    function approve(address spender, uint256 amount) external virtual returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external virtual returns (bool) {
        _move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external virtual returns (bool) {
        allowance[from][msg.sender] -= amount;
        _move(from, to, amount);
        return true;
    }

    function _move(address from, address to, uint256 amount) internal {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @notice Says false instead of reverting.
contract FalseTokenDouble is TokenDouble {
    function approve(address, uint256) external pure override returns (bool) {
        return false;
    }

    function transfer(address, uint256) external pure override returns (bool) {
        return false;
    }
}

/// @notice Returns nothing, and wants an allowance to be 0 before it is set (as Tether's does).
contract SilentTokenDouble {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        require(amount == 0 || allowance[msg.sender][spender] == 0, "not from zero");
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }
}

/// @notice Refuses an approval of 0 (as BNB on Ethereum does).
contract NoZeroTokenDouble is TokenDouble {
    function approve(address spender, uint256 amount) external override returns (bool) {
        require(amount != 0, "zero");
        allowance[msg.sender][spender] = amount;
        return true;
    }
}

/// @notice Keeps a tenth of every transfer.
contract FeeTokenDouble is TokenDouble {
    function transfer(address to, uint256 amount) external override returns (bool) {
        _move(msg.sender, to, amount);
        balanceOf[to] -= amount / 10;
        return true;
    }
}

/// @notice Answers every transfer and approval with more bytes than anybody can pay to copy, returned or reverted.
contract BombTokenDouble is TokenDouble {
    uint256 internal constant BYTES = 1_000_000;
    bool public reverts;

    function arm(bool reverts_) external {
        reverts = reverts_;
    }

    function transfer(address to, uint256 amount) external override returns (bool accepted) {
        _move(msg.sender, to, amount);
        _explode();
    }

    function approve(address spender, uint256 amount) external override returns (bool accepted) {
        allowance[msg.sender][spender] = amount;
        _explode();
    }

    function _explode() internal view {
        bool revert_ = reverts;
        assembly ("memory-safe") {
            mstore(0, 1)
            if revert_ { revert(0, BYTES) }
            return(0, BYTES)
        }
    }
}

/// @notice Once it is armed, says that an allowance is there that it refuses to change.
contract GrudgeTokenDouble {
    bool public armed;

    function arm() external {
        armed = true;
    }

    function allowance(address, address) external view returns (uint256) {
        return armed ? 1 : 0;
    }

    function approve(address, uint256) external view returns (bool) {
        require(!armed, "never again");
        return true;
    }
}

/// @notice Burns all the gas it is given.
contract GasBurnerTokenDouble is TokenDouble {
    function transfer(address, uint256) external pure override returns (bool accepted) {
        assembly ("memory-safe") {
            invalid()
        }
    }
}

/// @notice Calls somebody in the middle of every transfer, and keeps the answer.
contract ReentrantTokenDouble is TokenDouble {
    address public target;
    bytes public data;
    uint256 public refusals;
    uint256 public successes;
    bytes public answer;

    function arm(address target_, bytes calldata data_) external {
        target = target_;
        data = data_;
    }

    function transfer(address to, uint256 amount) external override returns (bool) {
        _move(msg.sender, to, amount);
        (bool ok, bytes memory said) = target.call(data);
        if (ok) successes++;
        else refusals++;
        answer = said;
        return true;
    }
}

/// @notice Remembers on whose behalf it was called with anything at all.
contract AnyTargetDouble {
    uint256 public calls;
    bytes public last;

    fallback() external payable {
        calls++;
        last = msg.data;
    }

    receive() external payable {
        calls++;
        last = "";
    }
}
