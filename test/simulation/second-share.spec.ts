import { holdsOnShare } from './many-seeds.js';

describe('the simulation, its second share', () => holdsOnShare(1));
