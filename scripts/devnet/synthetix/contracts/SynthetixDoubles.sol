// SPDX-License-Identifier: MIT
pragma solidity 0.8.26;

import {IERC165} from "@synthetixio/core-contracts/contracts/interfaces/IERC165.sol";
import {INodeModule} from "@synthetixio/oracle-manager/contracts/interfaces/INodeModule.sol";
import {Account, IRewardDistributor, RewardsDistributor} from "./MainStandIns.sol";

/// What the perps market's proxy runs: each function is delegated to the module that it was given.
contract RouterDouble {
    address private immutable self = address(this);
    mapping(bytes4 => address) public moduleOf;

    error UnknownSelector(bytes4 selector);

    constructor(address[] memory modules, bytes4[][] memory selectors) {
        for (uint256 i = 0; i < modules.length; i++) {
            for (uint256 j = 0; j < selectors[i].length; j++) moduleOf[selectors[i][j]] = modules[i];
        }
    }

    fallback() external payable {
        address module = RouterDouble(payable(self)).moduleOf(msg.sig);
        if (module == address(0)) revert UnknownSelector(msg.sig);
        assembly {
            calldatacopy(0, 0, calldatasize())
            let result := delegatecall(gas(), module, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch result
            case 0 {
                revert(0, returndatasize())
            }
            default {
                return(0, returndatasize())
            }
        }
    }
}

/// A module of the proxy: accounts without their NFT.
contract AccountModuleDouble {
    error AccountTaken(uint128 accountId);

    function createAccount(uint128 id) external {
        Account.Data storage account = Account.load(id);
        if (account.owner != address(0)) revert AccountTaken(id);
        account.owner = msg.sender;
    }

    function getAccountOwner(uint128 id) external view returns (address) {
        return Account.load(id).owner;
    }
}

/// A plain token. Whoever deployed it, and whom that names, may mint and burn.
contract SynthDouble {
    string public name;
    string public symbol;
    uint8 public constant decimals = 18;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    mapping(address => bool) public isMinter;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    constructor(string memory name_, string memory symbol_) {
        name = name_;
        symbol = symbol_;
        isMinter[msg.sender] = true;
    }

    function setMinter(address minter) external {
        require(isMinter[msg.sender], "not a minter");
        isMinter[minter] = true;
    }

    function mint(address to, uint256 amount) external {
        require(isMinter[msg.sender], "not a minter");
        totalSupply += amount;
        balanceOf[to] += amount;
        emit Transfer(address(0), to, amount);
    }

    function burn(address from, uint256 amount) external {
        require(isMinter[msg.sender], "not a minter");
        totalSupply -= amount;
        balanceOf[from] -= amount;
        emit Transfer(from, address(0), amount);
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        return _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private returns (bool) {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        emit Transfer(from, to, amount);
        return true;
    }
}

interface IGlobalCollateral {
    function totalGlobalCollateralValue() external view returns (uint256);
}

/// The core system as one market sees it: it mints and burns snxUSD, keeps collateral, and stands behind the market with a fixed credit.
contract SynthetixDouble {
    SynthDouble public immutable usd;
    address public immutable oracleManager;
    address public market;
    uint256 public creditUsd;

    constructor(SynthDouble usd_, address oracleManager_, uint256 creditUsd_) {
        usd = usd_;
        oracleManager = oracleManager_;
        creditUsd = creditUsd_;
    }

    modifier onlyMarket() {
        require(msg.sender == market, "not the market");
        _;
    }

    function setCredit(uint256 amount) external {
        creditUsd = amount;
    }

    function registerMarket(address market_) external returns (uint128) {
        require(market == address(0), "one market");
        market = market_;
        return 1;
    }

    function getAssociatedSystem(bytes32) external view returns (address, bytes32) {
        return (address(usd), "erc20");
    }

    function getOracleManager() external view returns (address) {
        return oracleManager;
    }

    function depositMarketUsd(uint128, address target, uint256 amount) external onlyMarket returns (uint256) {
        usd.burn(target, amount);
        return 0;
    }

    function withdrawMarketUsd(uint128, address target, uint256 amount) external onlyMarket returns (uint256) {
        usd.mint(target, amount);
        return 0;
    }

    /// What the pool stands for, and what traders have deposited.
    function getWithdrawableMarketUsd(uint128) external view returns (uint256) {
        return creditUsd + IGlobalCollateral(market).totalGlobalCollateralValue();
    }

    function depositMarketCollateral(uint128, address collateralType, uint256 amount) external onlyMarket {
        SynthDouble(collateralType).transferFrom(msg.sender, address(this), amount);
    }

    function withdrawMarketCollateral(uint128, address collateralType, uint256 amount) external onlyMarket {
        SynthDouble(collateralType).transfer(msg.sender, amount);
    }

    function getVaultCollateral(uint128, address) external pure returns (uint256 amount, uint256 value) {
        return (1 ether, 1 ether);
    }
}

/// Synths and their prices, by nodes of the real oracle manager; nothing is traded.
contract SpotMarketDouble {
    struct Synth {
        address token;
        bytes32 sellFeedId;
        uint256 strictTolerance;
        uint256 skewScale;
    }

    INodeModule public immutable oracleManager;
    mapping(uint128 => Synth) private _synths;

    constructor(INodeModule oracleManager_) {
        oracleManager = oracleManager_;
    }

    function setSynth(uint128 id, Synth calldata synth) external {
        _synths[id] = synth;
    }

    function getSynth(uint128 id) external view returns (address) {
        return _synths[id].token;
    }

    function getMarketSkewScale(uint128 id) external view returns (uint256) {
        return _synths[id].skewScale;
    }

    function getPriceData(uint128 id) external view returns (bytes32, bytes32, uint256) {
        return (_synths[id].sellFeedId, _synths[id].sellFeedId, _synths[id].strictTolerance);
    }

    /// @param tolerance 0 the node's own, 1 strict, 2 a month
    function indexPrice(uint128 id, uint128, uint8 tolerance) external view returns (uint256) {
        Synth storage synth = _synths[id];
        if (tolerance == 0) return uint256(oracleManager.process(synth.sellFeedId).price);
        bytes32[] memory keys = new bytes32[](1);
        bytes32[] memory values = new bytes32[](1);
        keys[0] = "stalenessTolerance";
        values[0] = bytes32(tolerance == 1 ? synth.strictTolerance : 2592000);
        return uint256(oracleManager.processWithRuntime(synth.sellFeedId, keys, values).price);
    }
}

/// Keeps the collateral of liquidated accounts.
contract RewardsDistributorDouble is RewardsDistributor {
    address public immutable token;
    uint128 public constant poolId = 1;

    constructor(address token_) {
        token = token_;
    }

    function name() external pure returns (string memory) {
        return "distributor";
    }

    function distributeRewards(uint128, address, uint256, uint64, uint32) external {}

    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IRewardDistributor).interfaceId || interfaceId == type(IERC165).interfaceId;
    }
}
