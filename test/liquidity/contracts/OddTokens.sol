// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// What all of these have in common: balances that anybody may mint, and allowances that nobody asks for.
abstract contract OddToken {
    uint8 public constant decimals = 18;
    mapping(address => uint256) internal balances;

    function balanceOf(address holder) public view virtual returns (uint256) {
        return balances[holder];
    }

    function mint(address to, uint256 amount) external {
        balances[to] += amount;
    }

    function approve(address, uint256) external pure returns (bool) {
        return true;
    }

    function move(address from, address to, uint256 amount) internal {
        balances[from] -= amount;
        balances[to] += amount;
    }
}

abstract contract TellingToken is OddToken {
    function transfer(address to, uint256 amount) external virtual returns (bool) {
        pay(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        pay(from, to, amount);
        return true;
    }

    function pay(address from, address to, uint256 amount) internal virtual;
}

/// Takes a hundredth of what arrives, as long as it is told to.
contract FeeToken is TellingToken {
    uint256 public feeBps = 100;

    function setFee(uint256 bps) external {
        feeBps = bps;
    }

    function pay(address from, address to, uint256 amount) internal override {
        uint256 fee = amount * feeBps / 10_000;
        move(from, to, amount - fee);
        move(from, address(0xdead), fee);
    }
}

/// Takes its part only of what goes into one place: the pool, for whom it is a sale.
contract SaleTaxToken is TellingToken {
    address public taxed;

    function setTaxed(address place) external {
        taxed = place;
    }

    function pay(address from, address to, uint256 amount) internal override {
        uint256 fee = to == taxed ? amount / 20 : 0;
        move(from, to, amount - fee);
        move(from, address(0xdead), fee);
    }
}

/// Costs the sender more than arrives.
contract SurchargeToken is TellingToken {
    function pay(address from, address to, uint256 amount) internal override {
        move(from, to, amount);
        move(from, address(0xdead), amount / 1000);
    }
}

/// Counts in shares, as staked ether does: what arrives is up to a unit off.
contract SharesToken is TellingToken {
    uint256 private constant RATE = 1_234_567_890_123_456_789;

    function balanceOf(address holder) public view override returns (uint256) {
        return balances[holder] * RATE / 1e18;
    }

    function pay(address from, address to, uint256 amount) internal override {
        move(from, to, amount * 1e18 / RATE);
    }
}

/// Lets nobody pay while it is paused.
contract PausedToken is TellingToken {
    bool public paused;

    function pause(bool on) external {
        paused = on;
    }

    function pay(address from, address to, uint256 amount) internal override {
        require(!paused, "paused");
        move(from, to, amount);
    }
}

/// Spends whatever gas it is given.
contract BurningToken is TellingToken {
    bool public burning;

    function burn(bool on) external {
        burning = on;
    }

    function pay(address from, address to, uint256 amount) internal override {
        while (burning) {}
        move(from, to, amount);
    }
}

/// Moves what it is told to and says that it did not.
contract DenyingToken is OddToken {
    function transfer(address to, uint256 amount) external returns (bool) {
        move(msg.sender, to, amount);
        return false;
    }
}

/// Answers nothing at all, as some of the largest do: no oddity, everybody copes with it.
contract SilentToken is OddToken {
    function transfer(address to, uint256 amount) external {
        move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        move(from, to, amount);
    }
}

/// Tells no balances to anybody once it is hidden.
contract HidingToken is TellingToken {
    bool public hidden;

    function hide(bool on) external {
        hidden = on;
    }

    function balanceOf(address holder) public view override returns (uint256) {
        require(!hidden, "hidden");
        return balances[holder];
    }

    function pay(address from, address to, uint256 amount) internal override {
        move(from, to, amount);
    }
}
