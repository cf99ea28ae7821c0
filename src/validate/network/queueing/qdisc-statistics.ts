/** Counters of a queueing discipline. `bytes` and `packets` are those that were sent. */
export interface QdiscStatistics {
  bytes: number
  packets: number
  /** Number of packets in the queue. */
  queued: number
  /** Number of bytes in the queue. */
  backlog: number
  dropped: number
  /** How often a packet had to wait because of a limit. */
  overLimits: number
  requeued: number
}

/** Further counters of fq. */
export interface FqStatistics {
  flows: number
  inactiveFlows: number
  throttledFlows: number
  /** Number of idle flows that were removed. */
  removedFlows: number
  /** How often a flow had to wait for its rate. */
  throttled: number
  /** Number of packets that were dropped because of `flowLimit`. */
  flowLimitDrops: number
  /** Number of packets that were too long for the rate of their flow. */
  tooLong: number
  allocationErrors: number
  /** Number of packets that were marked because of `ceThreshold`. */
  ceMarks: number
  horizonDrops: number
  /** Number of packets that were sent at the horizon. */
  horizonCaps: number
}

/** Further counters of fq_codel. */
export interface FqCodelStatistics {
  /** Size of the largest packet. */
  maxPacket: number
  /** Number of packets that were dropped because of `limit`. */
  limitDrops: number
  ecnMarks: number
  /** How often a packet began a new flow. */
  flowsCreated: number
  newFlows: number
  oldFlows: number
  ceMarks: number
  /** In bytes. */
  memoryUsed: number
  /** Number of packets that were dropped because of `memoryLimit`. */
  memoryDrops: number
}

/** Counters of one priority of cake. Times are milliseconds, rates are bit/s. */
export interface CakeTin {
  packets?: number
  bytes?: number
  dropped?: number
  droppedBytes?: number
  /** Number of acknowledgements that were dropped because of `ackFilter`. */
  droppedAcks?: number
  ecnMarks?: number
  /** Number of packets in the queue. */
  queued?: number
  /** Number of bytes in the queue. */
  backlog?: number
  thresholdRate?: number
  target?: number
  interval?: number
  peakDelay?: number
  averageDelay?: number
  baseDelay?: number
  sparseFlows?: number
  bulkFlows?: number
  unresponsiveFlows?: number
  /** Size of the largest packet. */
  maxPacket?: number
  quantum?: number
}

/** Further counters of cake. */
export interface CakeStatistics {
  /** What `autorate` estimates, in bit/s. */
  capacityEstimate?: number
  /** In bytes. */
  memoryLimit?: number
  /** In bytes. */
  memoryUsed?: number
  /** Average size of the headers that do not belong to the packet of the network layer. */
  averageHeader?: number
  /** Size of the smallest packet. */
  minPacket?: number
  /** Size of the largest packet. */
  maxPacket?: number
  /** Those of each priority, from the lowest on. */
  tins: CakeTin[]
}

/** The kinds of queueing discipline with further counters, and these. */
export interface QdiscCounters {
  cake: CakeStatistics
  fq: FqStatistics
  fq_codel: FqCodelStatistics
}
