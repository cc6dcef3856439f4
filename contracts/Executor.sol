// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {Group, IExecutor, Meter, Sequence} from "./interfaces/IExecutor.sol";
import {IWrappedNative} from "./interfaces/IWrappedNative.sol";
import {Calls} from "./libraries/Calls.sol";
import {LastingRights} from "./libraries/LastingRights.sol";
import {Tokens} from "./libraries/Tokens.sol";
import {Transient} from "./libraries/Transient.sol";

/// @title Executor
/// @notice Runs a keeper's sequence of steps, and reverts unless it ends in the profit that was promised.
/// @dev Operators choose the steps, and may be wrong or robbed. So nothing here trusts the steps: what is trusted is the owner, the assets
/// and meters that it registers, and the wrapped native token. Assumed of these: an asset's `balanceOf` tells the truth; a meter counts
/// only what the Executor can still withdraw, and cannot be moved for the length of a transaction by somebody who trades.
///
/// Steps are packed one after another, integers big-endian:
///
///     call    0x00 | flags   target 20   [value 16]   [patch]   length 3   data
///     approve 0x01           token 20    spender 20   amount 32
///     enter   0x02 | flags   target 20   [value 16]   [patch]
///                            caller 20   selector 4   argument 1   keccak256(payload) 32   [answer 32]   length 3   data
///     pay     0x03           token 20    argument 1
///
///     patch                  token 20    offset 3
///             0x20           target 20   view 36      offset 3
///
/// - The flags say which of the parts in brackets are there: 0x04 value, 0x08 patch, 0x10 answer; and of a patch: 0x20 that it looks, 0x40
///   that it negates.
/// - A patch writes the Executor's gain of `token` over the word of `data` at `offset`, or where that is 0 over the value: how far its
///   balance has risen since the sequence began, for a registered asset and for the native token (zero); its whole balance, for another
///   token. One that looks writes instead the word that `target` answers to `view`, a selector and one word, in a static call: what is
///   owed after a swap, say. One that negates writes what is to be added to that for 0.
/// - An approval is set back to 0 at the end of its group.
/// - Enter is a call during which one callback is accepted: from `caller`, of `selector`, with a `bytes` argument (word `argument` of the
///   callback's arguments points to it) that is `payload`: the packed steps to run inside it. It returns `answer`, or nothing. An initiator that the
///   protocol names is not checked: an announcement lives only within our own sequence.
/// - Pay, inside a callback, sends its caller as much of `token` as word `argument` of the callback's arguments says, read as an int256.
contract Executor is IExecutor {
    using Tokens for address;

    /// @dev `metered` says that `balanceOf` is not the asset's only meter.
    struct Asset {
        address token;
        bool metered;
    }

    uint256 internal constant BPS = 10_000;

    uint256 internal constant KIND = 0x03;
    uint256 internal constant CALL = 0x00;
    uint256 internal constant APPROVE = 0x01;
    uint256 internal constant ENTER = 0x02;
    uint256 internal constant HAS_VALUE = 0x04;
    uint256 internal constant HAS_PATCH = 0x08;
    uint256 internal constant HAS_ANSWER = 0x10;
    uint256 internal constant LOOKS = 0x20;
    uint256 internal constant NEGATES = 0x40;

    /// @dev Transient slots. The pairs of recorded approvals follow `APPROVALS`, their count. An asset's balance at the start of the
    /// sequence, plus one, is in the slot that begins with its address: the native token's is `RUNNING`.
    uint256 internal constant RUNNING = 0;
    uint256 internal constant ANNOUNCED = 1;
    uint256 internal constant PAYLOAD_HASH = 2;
    uint256 internal constant ANSWER = 3;
    uint256 internal constant APPROVALS = 4;

    address public immutable wrappedNative;

    address public owner;
    address public pendingOwner;
    mapping(address account => bool) public isOperator;
    /// @notice How much more of an asset sequences may lose, all together.
    mapping(address asset => uint256) public lossAllowance;

    address internal chosenTreasury;
    Asset[] internal registry;
    mapping(address asset => Meter[]) internal metersBeside;

    /// @dev Registers `wrappedNative_`, by its balance.
    constructor(address wrappedNative_, address owner_, address treasury_, address[] memory operators) {
        require(owner_ != address(0), ZeroAddress());

        wrappedNative = wrappedNative_;
        owner = owner_;
        emit OwnerSet(owner_);
        chosenTreasury = treasury_;
        emit TreasurySet(treasury_);
        for (uint256 i; i < operators.length; ++i) _setOperator(operators[i], true);
        _register(wrappedNative_, new Meter[](0));
    }

    /// @dev Whatever the owner does takes effect between sequences, never within one.
    modifier onlyOwner() {
        require(msg.sender == owner, NotOwner());
        require(Transient.get(RUNNING) == 0, Running());
        _;
    }

    /* OWNER */

    /// @notice Offers the ownership. It passes once it is accepted.
    function transferOwnership(address newOwner) external onlyOwner {
        pendingOwner = newOwner;
        emit OwnershipOffered(newOwner);
    }

    function acceptOwnership() external {
        require(msg.sender == pendingOwner, NotPendingOwner());
        require(Transient.get(RUNNING) == 0, Running());
        owner = msg.sender;
        pendingOwner = address(0);
        emit OwnerSet(msg.sender);
    }

    function setOperator(address operator, bool allowed) external onlyOwner {
        _setOperator(operator, allowed);
    }

    /// @notice Sets where profit goes; zero for the owner, whoever that is.
    function setTreasury(address newTreasury) external onlyOwner {
        chosenTreasury = newTreasury;
        emit TreasurySet(newTreasury);
    }

    /// @notice Guards `asset` from falling and allows it as a numeraire. `beside` become its meters, beside `balanceOf`.
    function register(address asset, Meter[] memory beside) external onlyOwner {
        _register(asset, beside);
    }

    function unregister(address asset) external onlyOwner {
        uint256 index = _indexOf(asset);
        require(index != registry.length, NotRegistered(asset));
        registry[index] = registry[registry.length - 1];
        registry.pop();
        delete metersBeside[asset];
        // Of an earlier sequence in this transaction.
        Transient.set(_startSlot(asset), 0);
        emit AssetUnregistered(asset);
    }

    /// @notice Lets sequences counted in `asset` lose up to `amount`, all together, from now on. Closing a hedge may cost something.
    function allowLoss(address asset, uint256 amount) external onlyOwner {
        lossAllowance[asset] = amount;
        emit LossAllowed(asset, amount);
    }

    /// @notice Takes out a token, or the native one (zero), to the owner or the treasury.
    function withdraw(address token, address to, uint256 amount) external onlyOwner {
        require(to == owner || to == treasury(), ForbiddenRecipient(to));
        emit Withdrawn(token, to, amount);
        if (token != address(0)) return token.send(to, amount);
        (bool ok,,) = Calls.run(to, amount, Calls.ALL_GAS, "");
        require(ok, TransferFailed(token));
    }

    /* VIEWS */

    /// @notice Where profit goes.
    function treasury() public view returns (address) {
        return chosenTreasury == address(0) ? owner : chosenTreasury;
    }

    /// @notice The registered assets.
    function assets() external view returns (address[] memory tokens) {
        tokens = new address[](registry.length);
        for (uint256 i; i < tokens.length; ++i) tokens[i] = registry[i].token;
    }

    /// @notice The meters of `asset`, beside `balanceOf`.
    function meters(address asset) external view returns (Meter[] memory) {
        return metersBeside[asset];
    }

    /* SEQUENCE */

    /// @notice Runs the groups, pays the bid, sends the profit to the treasury. All of it, or nothing.
    function execute(Sequence calldata sequence) external {
        require(isOperator[msg.sender] || msg.sender == owner, NotOperator());
        require(block.number <= sequence.lastBlock, Expired(sequence.lastBlock));
        require(
            sequence.bidBps == 0 || (sequence.bidBps <= BPS && sequence.numeraire == wrappedNative), BidNotAllowed()
        );
        require(Transient.get(RUNNING) == 0, Running());
        uint256 nativeAtStart = address(this).balance;
        Transient.set(RUNNING, nativeAtStart + 1);

        (Asset[] memory registered, int256[] memory starts, uint256 numeraire) = _begin(sequence.numeraire);

        _runGroups(sequence.groups, registered[numeraire], starts[numeraire]);
        _sweep(sequence.sweep);

        // NOTE: measured last. From here on nothing is called but the numeraire, and the coinbase once nothing is left to take.
        (int256 gross, uint256 gain) = _measure(registered, starts, numeraire);
        require(address(this).balance >= nativeAtStart, NativeFell(nativeAtStart, address(this).balance));
        _settle(sequence, gross, gain);

        Transient.set(RUNNING, 0);
    }

    /// @dev Reads every meter, and keeps the balances for patches.
    function _begin(address token)
        internal
        returns (Asset[] memory registered, int256[] memory starts, uint256 numeraire)
    {
        registered = registry;
        starts = new int256[](registered.length);
        numeraire = registered.length;

        for (uint256 i; i < registered.length; ++i) {
            Asset memory asset = registered[i];
            if (asset.token == token) numeraire = i;
            uint256 balance = asset.token.held();
            Transient.set(_startSlot(asset.token), balance + 1);
            starts[i] = _total(asset, balance);
        }

        require(numeraire != registered.length, NotRegistered(token));
    }

    function _runGroups(Group[] calldata groups, Asset memory numeraire, int256 start) internal {
        for (uint256 i; i < groups.length; ++i) {
            Group calldata group = groups[i];
            int256 end;
            if (group.optional) {
                bool done;
                (done, end) = _tryGroup(group, numeraire, start);
                if (!done) {
                    emit GroupReverted(i, Calls.reason());
                    continue;
                }
            } else {
                end = _runGroup(numeraire, start, group.minProfit, group.steps);
            }
            emit GroupDone(i, end - start);
            start = end;
        }
    }

    /// @dev NOTE: a group without `gasLimit` can burn 63/64 of the gas that is left, and the last 64th rarely pays for what follows. A gas
    /// limit that could not be granted whole makes the group fail sooner, and harms nothing else.
    function _tryGroup(Group calldata group, Asset memory numeraire, int256 start)
        internal
        returns (bool done, int256 end)
    {
        uint256 gasLimit = group.gasLimit == 0 ? Calls.ALL_GAS : group.gasLimit;
        bytes memory data = abi.encodeCall(this.runGroup, (numeraire, start, group.minProfit, group.steps));
        uint256 word;
        (done,, word) = Calls.run(address(this), 0, gasLimit, data);
        end = int256(word);
    }

    /// @dev The frame of an optional group. Only the Executor calls it, and no step may target the Executor.
    function runGroup(Asset memory numeraire, int256 start, int256 minProfit, bytes calldata steps)
        external
        returns (int256)
    {
        require(msg.sender == address(this), NotSelf());
        return _runGroup(numeraire, start, minProfit, steps);
    }

    /// @return end What the numeraire's meters say afterwards.
    function _runGroup(Asset memory numeraire, int256 start, int256 minProfit, bytes calldata steps)
        internal
        returns (int256 end)
    {
        _run(steps, false);
        _clearApprovals();

        end = _total(numeraire, numeraire.token.held());
        require(end - start >= minProfit, GroupBelowMinimum(end - start, minProfit));
    }

    /* STEPS */

    /// @dev Assumes that `steps` lie in this frame's calldata. What is read beyond their end is never acted on.
    function _run(bytes calldata steps, bool inCallback) internal {
        uint256 at;
        assembly ("memory-safe") {
            at := steps.offset
        }
        uint256 end = at + steps.length;

        for (uint256 index; at != end; ++index) {
            uint256 head = uint8(bytes1(_load(at)));
            uint256 kind = head & KIND;
            if (kind == CALL || kind == ENTER) at = _callStep(index, head, at + 1, end);
            else if (kind == APPROVE) at = _approveStep(index, head, at + 1, end);
            else at = _payStep(index, head, at + 1, end, inCallback);
        }
    }

    /// @dev A call, or an enter: a call with an announcement.
    function _callStep(uint256 index, uint256 head, uint256 at, uint256 end) internal returns (uint256 next) {
        bool enters = head & KIND == ENTER;
        uint256 known = KIND | HAS_VALUE | HAS_PATCH | (enters ? HAS_ANSWER : 0);
        if (head & HAS_PATCH != 0) known |= LOOKS | NEGATES;
        require(head & ~known == 0, MalformedSteps(index));

        address target = address(bytes20(_load(at)));
        uint256 value;
        uint256 patch;
        uint256 announcement;
        uint256 length;
        // `at` is a place in the calldata, and no part is longer than 2^24 bytes.
        unchecked {
            at += 20;
            if (head & HAS_VALUE != 0) {
                value = uint128(bytes16(_load(at)));
                at += 16;
            }
            patch = at;
            if (head & HAS_PATCH != 0) at += head & LOOKS != 0 ? 59 : 23;
            announcement = at;
            if (enters) at += head & HAS_ANSWER != 0 ? 89 : 57;
            length = uint24(bytes3(_load(at)));
            at += 3;
            next = at + length;
        }
        require(next <= end, MalformedSteps(index));

        require(target != address(this), ForbiddenTarget(index));
        // Fewer than four bytes select no function that takes an argument.
        bytes4 selector = length < 4 ? bytes4(0) : bytes4(_load(at));
        if (LastingRights.given(selector)) revert ForbiddenSelector(index, selector);
        bytes memory data = _copy(at, length);
        if (head & HAS_PATCH != 0) value = _patch(index, head, patch, data, value);
        if (enters) _announce(announcement, head & HAS_ANSWER != 0);

        (bool ok,,) = Calls.run(target, value, Calls.ALL_GAS, data);
        if (!ok) revert StepFailed(index, Calls.reason());
        if (enters) require(Transient.get(ANNOUNCED) == 0, CallbackMissing(index));
    }

    /// @return The value of the call: patched, or as it was.
    function _patch(uint256 index, uint256 head, uint256 at, bytes memory data, uint256 value)
        internal
        view
        returns (uint256)
    {
        address source = address(bytes20(_load(at)));
        uint256 word;
        if (head & LOOKS == 0) {
            word = _gain(source);
            at += 20;
        } else {
            bool ok;
            uint256 size;
            (ok, size, word) = Calls.look(source, _copy(at + 20, 36));
            require(ok && size >= 32, LookFailed(index));
            at += 56;
        }
        if (head & NEGATES != 0) {
            unchecked {
                word = 0 - word;
            }
        }

        uint256 offset = uint24(bytes3(_load(at)));
        if (offset == 0) return word;
        // The selector has been judged and must stay.
        require(offset >= 4 && offset + 32 <= data.length, PatchOutOfBounds(index));
        assembly ("memory-safe") {
            mstore(add(add(data, 32), offset), word)
        }
        return value;
    }

    /// @dev Approvals are recorded, and cleared at the end of the group, or undone with it.
    function _approveStep(uint256 index, uint256 head, uint256 at, uint256 end) internal returns (uint256 next) {
        next = at + 72;
        require(head == APPROVE && next <= end, MalformedSteps(index));

        address token = address(bytes20(_load(at)));
        address spender = address(bytes20(_load(at + 20)));
        require(token != address(this), ForbiddenTarget(index));

        uint256 count = Transient.get(APPROVALS);
        Transient.set(APPROVALS, count + 1);
        Transient.set(APPROVALS + 2 * count + 1, uint160(token));
        Transient.set(APPROVALS + 2 * count + 2, uint160(spender));
        token.setAllowance(spender, uint256(_load(at + 40)));
    }

    function _clearApprovals() internal {
        uint256 count = Transient.get(APPROVALS);
        if (count == 0) return;

        Transient.set(APPROVALS, 0);
        for (uint256 i; i < count; ++i) {
            address token = address(uint160(Transient.get(APPROVALS + 2 * i + 1)));
            token.clearAllowance(address(uint160(Transient.get(APPROVALS + 2 * i + 2))));
        }
    }

    /// @dev The amount is the caller's word. It is bounded by what is here, and by what has to be here in the end.
    function _payStep(uint256 index, uint256 head, uint256 at, uint256 end, bool inCallback)
        internal
        returns (uint256 next)
    {
        next = at + 21;
        require(head == KIND && next <= end, MalformedSteps(index));
        require(inCallback, PayOutsideCallback(index));

        int256 amount = int256(_argument(uint8(bytes1(_load(at + 20)))));
        require(amount > 0, NothingOwed(index));
        address(bytes20(_load(at))).send(msg.sender, uint256(amount));
    }

    /* CALLBACKS */

    /// @dev The announcement is one word: caller 20, selector 4, argument 1, zeros, and in the last byte 1, or 3 with an answer. Only one can
    /// be pending: it is cleared before steps run in its callback.
    function _announce(uint256 at, bool answers) internal {
        Transient.set(ANNOUNCED, uint256(bytes32(bytes25(_load(at)))) | (answers ? 3 : 1));
        Transient.set(PAYLOAD_HASH, uint256(_load(at + 25)));
        if (answers) Transient.set(ANSWER, uint256(_load(at + 57)));
    }

    /// @notice Every callback comes in here. One that was not announced is refused, and so is a second one.
    /// @dev A static call cannot get through (it may not clear the announcement), so no signature can be given either (ERC-1271).
    fallback() external {
        bytes32 announced = bytes32(Transient.get(ANNOUNCED));
        require(
            address(bytes20(announced)) == msg.sender && bytes4(announced << 160) == msg.sig,
            UnexpectedCallback(msg.sender, msg.sig)
        );
        bytes calldata payload = _bytesArgument(uint8(announced[24]));
        require(uint256(keccak256(payload)) == Transient.get(PAYLOAD_HASH), UnexpectedPayload());
        bool answers = announced[31] == 0x03;
        uint256 answer = answers ? Transient.get(ANSWER) : 0;

        Transient.set(ANNOUNCED, 0);
        _run(payload, true);

        if (answers) {
            assembly ("memory-safe") {
                mstore(0, answer)
                return(0, 32)
            }
        }
    }

    /// @dev Word `argument` of the arguments of the running callback.
    function _argument(uint256 argument) internal pure returns (uint256) {
        uint256 at = 4 + 32 * argument;
        require(at + 32 <= msg.data.length, MalformedCallback());
        return uint256(_load(at));
    }

    /// @dev The `bytes` that word `argument` points to. The callback's caller wrote the offset and the length.
    function _bytesArgument(uint256 argument) internal pure returns (bytes calldata) {
        uint256 size = msg.data.length;
        uint256 offset = _argument(argument);
        require(offset <= size && 4 + offset + 32 <= size, MalformedCallback());
        uint256 at = 4 + offset + 32;
        uint256 length = uint256(_load(at - 32));
        require(length <= size - at, MalformedCallback());
        return msg.data[at:at + length];
    }

    /// @notice Native tokens are taken only while a sequence runs: unwrapped, or redeemed from a market.
    receive() external payable {
        require(Transient.get(RUNNING) != 0, UnexpectedNative());
    }

    /* SETTLEMENT */

    /// @dev Before the last measurement, since these tokens are of the operator's choice.
    function _sweep(address[] calldata tokens) internal {
        for (uint256 i; i < tokens.length; ++i) {
            uint256 gain = _gain(tokens[i]);
            if (gain != 0) tokens[i].send(treasury(), gain);
        }
    }

    /// @dev Reverts if any asset but the numeraire fell.
    /// @return gross The rise of the numeraire's meters.
    /// @return gain The rise of its balance.
    function _measure(Asset[] memory registered, int256[] memory starts, uint256 numeraire)
        internal
        view
        returns (int256 gross, uint256 gain)
    {
        for (uint256 i; i < registered.length; ++i) {
            address token = registered[i].token;
            uint256 balance = token.held();
            int256 end = _total(registered[i], balance);
            if (i == numeraire) (gross, gain) = (end - starts[i], _rise(token, balance));
            else require(end >= starts[i], AssetFell(token, starts[i], end));
        }
    }

    /// @dev The bid rounds down. Profit that is no gain of balance (but a venue's credit) stays where it is.
    function _settle(Sequence calldata sequence, int256 gross, uint256 gain) internal {
        address numeraire = sequence.numeraire;
        uint256 bid;
        if (gross > 0 && uint256(gross) > sequence.gasCost) {
            bid = (uint256(gross) - sequence.gasCost) * sequence.bidBps / BPS;
        }
        int256 profit = gross - int256(bid);
        require(profit >= sequence.minProfit, InsufficientProfit(profit, sequence.minProfit));
        if (profit < 0) _spendLoss(numeraire, uint256(-profit));

        require(bid <= gain, BidBeyondGain(bid, gain));
        uint256 realised = profit > 0 ? uint256(profit) : 0;
        if (realised > gain - bid) realised = gain - bid;
        if (realised != 0) numeraire.send(treasury(), realised);

        emit Settled(numeraire, gross, bid, profit);

        if (bid != 0) {
            IWrappedNative(wrappedNative).withdraw(bid);
            (bool ok,,) = Calls.run(block.coinbase, bid, Calls.ALL_GAS, "");
            require(ok, BidRefused());
        }
    }

    function _spendLoss(address asset, uint256 loss) internal {
        uint256 allowed = lossAllowance[asset];
        require(loss <= allowed, LossNotAllowed(loss, allowed));
        lossAllowance[asset] = allowed - loss;
    }

    /* METERS */

    /// @dev What the Executor has of a registered asset, given its balance, by all its meters.
    function _total(Asset memory asset, uint256 balance) internal view returns (int256 total) {
        total = int256(balance);
        require(total >= 0, MeterFailed(asset.token));
        if (!asset.metered) return total;

        Meter[] memory beside = metersBeside[asset.token];
        for (uint256 i; i < beside.length; ++i) {
            Meter memory meter = beside[i];
            (bool ok, uint256 size, uint256 word) = Calls.look(meter.target, meter.data);
            require(ok && size >= 32, MeterFailed(meter.target));
            total += int256(word) / int256(uint256(meter.divisor));
        }
    }

    /// @dev How far the balance of a registered asset, or of the native token, has risen since the sequence began; the whole balance of
    /// another token.
    function _gain(address token) internal view returns (uint256) {
        return _rise(token, token == address(0) ? address(this).balance : token.held());
    }

    function _rise(address token, uint256 balance) internal view returns (uint256) {
        uint256 start = Transient.get(_startSlot(token));
        if (start == 0) return balance;
        return balance >= start ? balance + 1 - start : 0;
    }

    /* SMALL PARTS */

    function _setOperator(address operator, bool allowed) internal {
        isOperator[operator] = allowed;
        emit OperatorSet(operator, allowed);
    }

    /// @dev Reads the meters once: one that does not answer would stop every sequence.
    function _register(address asset, Meter[] memory beside) internal {
        uint256 index = _indexOf(asset);
        if (index == registry.length) registry.push();
        registry[index] = Asset(asset, beside.length != 0);
        delete metersBeside[asset];
        for (uint256 i; i < beside.length; ++i) {
            require(beside[i].divisor != 0, ZeroDivisor());
            metersBeside[asset].push(beside[i]);
        }
        _total(registry[index], asset.held());
        emit AssetRegistered(asset, beside.length);
    }

    /// @return index The asset's place, or the number of assets where it is not registered.
    function _indexOf(address asset) internal view returns (uint256 index) {
        while (index < registry.length && registry[index].token != asset) ++index;
    }

    function _startSlot(address token) internal pure returns (uint256) {
        return uint256(bytes32(bytes20(token)));
    }

    function _copy(uint256 at, uint256 length) internal pure returns (bytes memory data) {
        assembly ("memory-safe") {
            data := mload(0x40)
            mstore(0x40, and(add(add(data, length), 63), not(31)))
            mstore(data, length)
            calldatacopy(add(data, 32), at, length)
        }
    }

    function _load(uint256 at) internal pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := calldataload(at)
        }
    }
}
