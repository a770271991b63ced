import {Annotation, Label, NATIVE_MATRIX_VERSION, nativeMatrix} from '@wherry/api';
import {MARKER} from './generator.ts';

const rows = nativeMatrix.map(({field, inside}) => `| \`${field}\` | ${inside} |`).join('\n');

/** The page that says which machines the native engine can run. */
export const enginesPage = (): string => `<!-- ${MARKER} -->

# Engines

QEMU runs every machine that Wherry supports. The native engine runs those that lie within this matrix (version ${NATIVE_MATRIX_VERSION}), on nodes with a usable KVM; [Engines](../guide/engines.md) says how one is chosen, and what their guests have.

| field of the instance's spec | inside |
| --- | --- |
${rows}

Fields that are not named here are the same on both engines.

A node-daemon that drives the native engine labels its node \`${Label.nativeMatrix}=${NATIVE_MATRIX_VERSION}\` while the node's KVM is usable. The annotation \`${Annotation.engine}\` with the value \`native\` is refused for a machine outside of the
matrix, by the condition \`Synchronized=False\` with reason \`UnsupportedEngine\`, whose message names everything that is outside.
`;
