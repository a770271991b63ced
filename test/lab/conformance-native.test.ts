/** The native engine, on a host that has nothing but what a node has: what every engine does, and what it costs. */
import {conforms} from './harness/conforms.ts';

conforms('native');
