// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {OCR2Base} from "@chainlink/contracts/src/v0.8/dev/ocr2/OCR2Base.sol";
import {AggregatorV2V3Interface} from "@chainlink/contracts/src/v0.8/interfaces/AggregatorV2V3Interface.sol";

/// A price feed as an OCR2 oracle network updates it. Signatures, configuration and the transmitter's authority are Chainlink's own
/// OCR2Base; this contract adds what the production aggregator (AccessControlledOCR2Aggregator 1.0.0) does with a report: the
/// median, the rounds, and the events, in its order. Billing, validator hooks and access lists are left out: nothing here reads them.
contract OcrAggregator is OCR2Base, AggregatorV2V3Interface {
    struct Transmission {
        int192 answer;
        uint32 observationsTimestamp;
        uint32 transmissionTimestamp;
    }

    event NewTransmission(
        uint32 indexed aggregatorRoundId,
        int192 answer,
        address transmitter,
        uint32 observationsTimestamp,
        int192[] observations,
        bytes observers,
        int192 juelsPerFeeCoin,
        bytes32 configDigest,
        uint40 epochAndRound
    );

    uint256 public constant override version = 6;
    int192 public immutable minAnswer;
    int192 public immutable maxAnswer;
    uint8 public immutable override decimals;
    string public override description;

    uint32 private latestAggregatorRoundId;
    uint40 private latestEpochAndRound;
    mapping(uint32 roundId => Transmission) private transmissions;

    constructor(int192 minAnswer_, int192 maxAnswer_, uint8 decimals_, string memory description_) OCR2Base(false) {
        minAnswer = minAnswer_;
        maxAnswer = maxAnswer_;
        decimals = decimals_;
        description = description_;
    }

    function typeAndVersion() external pure override returns (string memory) {
        return "OcrAggregator 1.0.0";
    }

    // ---- reports

    /// NOTE: OCR2Base calls this before it has checked a signature; a write here stands only because a bad one reverts it all.
    function _validateReport(bytes32, uint40 epochAndRound, bytes memory) internal override returns (bool) {
        require(latestEpochAndRound < epochAndRound, "stale report");
        latestEpochAndRound = epochAndRound;
        return true;
    }

    function _report(uint256, address transmitter, uint8, address[maxNumOracles] memory, bytes calldata report) internal override {
        (uint32 observationsTimestamp, bytes32 rawObservers, int192[] memory observations, int192 juelsPerFeeCoin) =
            abi.decode(report, (uint32, bytes32, int192[], int192));
        require(observations.length <= maxNumOracles, "num observations out of bounds");
        require(observations.length > s_configInfo.f, "too few values to trust median");

        int192 median = observations[observations.length / 2];
        require(minAnswer <= median && median <= maxAnswer, "median is out of min-max range");

        uint32 roundId = ++latestAggregatorRoundId;
        transmissions[roundId] = Transmission(median, observationsTimestamp, uint32(block.timestamp));

        emit NewTransmission(
            roundId,
            median,
            transmitter,
            observationsTimestamp,
            observations,
            firstBytes(rawObservers, observations.length),
            juelsPerFeeCoin,
            s_configInfo.latestConfigDigest,
            latestEpochAndRound
        );
        emit NewRound(roundId, address(0), observationsTimestamp);
        emit AnswerUpdated(median, roundId, block.timestamp);
    }

    function firstBytes(bytes32 word, uint256 length) private pure returns (bytes memory cut) {
        cut = abi.encodePacked(word);
        assembly {
            mstore(cut, length)
        }
    }

    function _beforeSetConfig(uint8, bytes memory) internal override {
        latestEpochAndRound = 0;
    }

    function _afterSetConfig(uint8, bytes memory) internal override {}

    // ---- views

    /// The production aggregator's name for OCR2Base's `transmitters`.
    function getTransmitters() external view returns (address[] memory) {
        return s_transmitters;
    }

    function latestTransmissionDetails()
        external
        view
        returns (bytes32 configDigest, uint32 epoch, uint8 round, int192 latestAnswer_, uint64 latestTimestamp_)
    {
        require(msg.sender == tx.origin, "Only callable by EOA");
        Transmission memory latest = transmissions[latestAggregatorRoundId];
        return (
            s_configInfo.latestConfigDigest,
            uint32(latestEpochAndRound >> 8),
            uint8(latestEpochAndRound),
            latest.answer,
            latest.transmissionTimestamp
        );
    }

    function latestAnswer() external view override returns (int256) {
        return transmissions[latestAggregatorRoundId].answer;
    }

    function latestTimestamp() external view override returns (uint256) {
        return transmissions[latestAggregatorRoundId].transmissionTimestamp;
    }

    function latestRound() external view override returns (uint256) {
        return latestAggregatorRoundId;
    }

    function getAnswer(uint256 roundId) external view override returns (int256) {
        return roundId > type(uint32).max ? int256(0) : transmissions[uint32(roundId)].answer;
    }

    function getTimestamp(uint256 roundId) external view override returns (uint256) {
        return roundId > type(uint32).max ? 0 : transmissions[uint32(roundId)].transmissionTimestamp;
    }

    function getRoundData(uint80 roundId) public view override returns (uint80, int256, uint256, uint256, uint80) {
        if (roundId > type(uint32).max) return (0, 0, 0, 0, 0);
        Transmission memory of_ = transmissions[uint32(roundId)];
        return (roundId, of_.answer, of_.observationsTimestamp, of_.transmissionTimestamp, roundId);
    }

    function latestRoundData() external view override returns (uint80, int256, uint256, uint256, uint80) {
        return getRoundData(latestAggregatorRoundId);
    }
}
