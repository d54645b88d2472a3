export { sha256, type ClusterIdentity } from './cluster-keys.js';
export { EnvelopeRefusedError, Refusals, type RefusalCode } from './envelope/refusal.js';
export { directTransport, type DirectEnd, type DirectOptions } from './direct/compose.js';
export { DirectTransport } from './direct/direct-transport.js';
export { TickServer, TICKS_PATH } from './direct/tick-server.js';
export { KafkaTransport, type KafkaTransportOptions } from './kafka/kafka-transport.js';
export type { KafkaOptions } from './kafka/topic.js';
export { MemoryNetwork, MemoryTransport } from './memory/memory-transport.js';
export { answerPeerCall, verifyPeerRequest, type PeerAnswer, type PeerCall } from './peers/peer-endpoint.js';
export { PeerCallError, PeerClient, type PeerFailureCode } from './peers/peer-client.js';
export { PeerRefusedError, PeerSigner, type PeerRefusalCode, type VerifiedPeer } from './peers/peer-signature.js';
export type { TransportEvent, TransportListener } from './transport-event.js';
/* For suites outside of this lib, which run the contract on an adapter that needs containers. Nothing here runs when loaded. */
export { transportContract, type ContractCluster, type MakeCluster } from './contract/transport-contract.js';
export { directCluster, type DirectCluster, type DirectRegion } from './contract/direct-cluster.js';
export { MemoryLog } from './contract/memory-log.js';
export { SampleOrigin } from './contract/sample-ticks.js';
