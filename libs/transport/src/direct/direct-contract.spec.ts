import { directCluster } from '../contract/direct-cluster.js';
import { transportContract } from '../contract/transport-contract.js';

transportContract('direct', (names) => directCluster(names));
