// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// @notice Something beside `balanceOf` that an asset is held in, such as the value of an account at a venue.
/// @param target What is asked, by a static call.
/// @param divisor What the answer is divided by (towards zero) to come to the asset's units.
/// @param data The call. The answer's first word is read as an int256.
struct Meter {
    address target;
    uint96 divisor;
    bytes data;
}

/// @notice Steps that stand or fall together.
/// @param optional Whether a revert undoes only this group.
/// @param gasLimit The most gas an optional group may use; 0 for all there is.
/// @param minProfit The least that the numeraire's meters must rise by over this group. May be negative.
/// @param steps The packed steps: see `Executor`.
struct Group {
    bool optional;
    uint256 gasLimit;
    int256 minProfit;
    bytes steps;
}

/// @notice One transaction of the keeper.
/// @param numeraire The registered asset in which profit is counted.
/// @param minProfit The least profit after the bid. May be negative, but losses are limited by `lossAllowance`.
/// @param gasCost What the transaction costs its sender, in the numeraire: taken off the profit before the bid's share is.
/// @param bidBps The share of the profit that `block.coinbase` gets, in basis points; only where the numeraire is wrapped native.
/// @param lastBlock The last block in which the sequence may be included.
/// @param sweep The tokens, beside the numeraire, whose gain goes to the treasury.
struct Sequence {
    address numeraire;
    int256 minProfit;
    uint256 gasCost;
    uint256 bidBps;
    uint256 lastBlock;
    address[] sweep;
    Group[] groups;
}

/// @notice What the `Executor` does (described there), what it announces, and what it refuses with.
interface IExecutor {
    function execute(Sequence calldata sequence) external;

    function transferOwnership(address newOwner) external;
    function acceptOwnership() external;
    function setOperator(address operator, bool allowed) external;
    function setTreasury(address newTreasury) external;
    function register(address asset, Meter[] memory beside) external;
    function unregister(address asset) external;
    function allowLoss(address asset, uint256 amount) external;
    function withdraw(address token, address to, uint256 amount) external;

    function wrappedNative() external view returns (address);
    function owner() external view returns (address);
    function pendingOwner() external view returns (address);
    function isOperator(address account) external view returns (bool);
    function treasury() external view returns (address);
    function assets() external view returns (address[] memory);
    function meters(address asset) external view returns (Meter[] memory);
    function lossAllowance(address asset) external view returns (uint256);

    event OwnershipOffered(address indexed pendingOwner);
    event OwnerSet(address indexed owner);
    event OperatorSet(address indexed operator, bool allowed);
    event TreasurySet(address indexed treasury);
    event AssetRegistered(address indexed asset, uint256 meters);
    event AssetUnregistered(address indexed asset);
    event LossAllowed(address indexed asset, uint256 amount);
    event Withdrawn(address indexed token, address indexed to, uint256 amount);

    /// @notice Group `index` stands, and the numeraire's meters rose by `profit` over it.
    event GroupDone(uint256 indexed index, int256 profit);
    /// @notice Optional group `index` was undone. `reason` is the start of its revert data.
    event GroupReverted(uint256 indexed index, bytes reason);
    /// @notice A sequence ended: `gross` is the rise of the numeraire's meters, `profit` what is left of it after the bid.
    event Settled(address indexed numeraire, int256 gross, uint256 bid, int256 profit);

    error ZeroAddress();
    error NotOwner();
    error NotPendingOwner();
    error NotOperator();
    error NotSelf();
    error Running();
    error NotRegistered(address asset);
    error ZeroDivisor();
    error ForbiddenRecipient(address to);

    error Expired(uint256 lastBlock);
    error BidNotAllowed();
    error BidBeyondGain(uint256 bid, uint256 gain);
    error BidRefused();
    error InsufficientProfit(int256 actual, int256 wanted);
    error GroupBelowMinimum(int256 actual, int256 wanted);
    error LossNotAllowed(uint256 loss, uint256 allowed);
    error AssetFell(address asset, int256 before, int256 afterwards);
    error NativeFell(uint256 before, uint256 afterwards);

    error MalformedSteps(uint256 index);
    error ForbiddenTarget(uint256 index);
    error ForbiddenSelector(uint256 index, bytes4 selector);
    error PatchOutOfBounds(uint256 index);
    error LookFailed(uint256 index);
    error StepFailed(uint256 index, bytes reason);
    error CallbackMissing(uint256 index);
    error PayOutsideCallback(uint256 index);
    error NothingOwed(uint256 index);

    error UnexpectedCallback(address caller, bytes4 selector);
    error UnexpectedPayload();
    error MalformedCallback();
    error UnexpectedNative();

    error MeterFailed(address target);
    error TransferFailed(address token);
    error ApprovalFailed(address token);
}
