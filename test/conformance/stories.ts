import {ends} from './stories/ends.ts';
import {life} from './stories/life.ts';
import {nativeEngine} from './stories/native.ts';
import {qemuWithKvm} from './stories/qemu-kvm.ts';
import type {Story} from './story.ts';

/** What every engine must do, and at the end what only one of them can. */
export const stories: readonly Story[] = [life, ...ends, ...qemuWithKvm, ...nativeEngine];
